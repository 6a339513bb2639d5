"""The log file of one service: appended to, bounded, and able to say what the service said last."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

MAX_BYTES = 5 * 1024 * 1024
"""Size at which a log becomes `NAME.log.1`, whose predecessor is dropped: two files a service at most."""

_REMEMBERED = 50
_ERRORS = frozenset({"ERROR", "CRITICAL"})


class ServiceLog:
    """Takes what a service prints. A disk that refuses must not hold up the service: those lines are lost, and said."""

    def __init__(self, path: Path, most: int = MAX_BYTES) -> None:
        self.path = path
        self.lost = 0
        self._most = most
        self._said: deque[str] = deque(maxlen=_REMEMBERED)
        self._reader: threading.Thread | None = None

    def follow(self, stream: IO[bytes]) -> None:
        """Copy `stream` to the file until it ends, in a thread."""
        self._said.clear()
        self._reader = threading.Thread(target=self._copy, args=(stream,), name=f"log {self.path.name}", daemon=True)
        self._reader.start()

    def last_words(self, seconds: float = 2.0) -> str:
        """What the service said last, an error if there was one; waits so long for the end of its output."""
        if self._reader is not None:
            self._reader.join(seconds)
        return last_words(list(self._said))

    def write(self, line: bytes) -> None:
        """Append one line."""
        self._said.append(line.decode(errors="replace").rstrip())
        try:
            with self._opened() as file:
                file.write(line)
        except OSError:
            self.lost += 1

    def _copy(self, stream: IO[bytes]) -> None:
        with stream, suppress(ValueError):
            for line in stream:
                self.write(line)

    def _opened(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if self.path.stat().st_size >= self._most:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
        return self.path.open("ab")


def last_words(lines: Iterable[str]) -> str:
    """The last error among log lines (JSON or plain), else the last line that says something."""
    error = last = ""
    for line in lines:
        level, message = _parsed(line)
        last = message or last
        if level in _ERRORS:
            error = message
    return error or last or "it said nothing"


def _parsed(line: str) -> tuple[str, str]:
    """Level and message of a line; a line that is no JSON object is its own message."""
    try:
        found = json.loads(line)
    except ValueError:
        return "", line.strip()
    if not isinstance(found, dict):
        return "", line.strip()
    message = str(found.get("message", line)).strip()
    cause = str(found.get("traceback", "")).strip().rpartition("\n")[2]
    return str(found.get("level", "")), f"{message}: {cause}" if cause else message
