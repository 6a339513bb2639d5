"""What a broker's log says about its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_ENTRY = re.compile(r"^\[[^]]+\] (?P<level>[A-Z]+) (?P<text>.*?)(?: \([\w.$]+\))?$")
_EXCEPTION = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b:? ?(?P<text>.*)$")
_TAIL = 256 * 1024


def last_error(lines: Sequence[str]) -> str | None:
    """Return the last error of a broker log with its deepest cause, or None when it holds none."""
    error: str | None = None
    of_error = False
    for line in lines:
        if entry := _ENTRY.match(line):
            if of_error := entry["level"] in {"ERROR", "FATAL"}:
                error = entry["text"]
        elif of_error and (thrown := _EXCEPTION.match(line)) and thrown["text"]:
            error = thrown["text"]
    return error


def last_words(log: Path, console: Path, said: int = 0) -> str:
    """Say why a broker ended: the last error in its log after `said` bytes, else the last line it printed."""
    printed = [line.strip() for line in tail(console) if line.strip()]
    return last_error(tail(log, said)) or (printed[-1] if printed else "it said nothing")


def is_full_disk(words: str) -> bool:
    """Whether the words are those of a full disk (ENOSPC, EDQUOT)."""
    return "No space left on device" in words or "Disk quota exceeded" in words


def tail(path: Path, said: int = 0) -> list[str]:
    """Return the last lines of a file after `said` bytes, at most 256 KiB; none when there is no file."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            # smaller than it was: it has been rolled
            file.seek(max(0 if said > size else said, size - _TAIL))
            return file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
