"""Service processes of a test: started, killed, restarted when they die, and ended with the test, each by its id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka_saga.local import launch

ROOT = Path(__file__).parents[3]
PATIENCE = 15.0
"""Seconds that a process gets to end after SIGTERM when its test is over."""

SHORT_SESSION = {"SAGA_SESSION_TIMEOUT": "4"}
"""A dead member is out of its group soon: for tests that kill."""


@dataclass
class Member:
    """One service instance: its present process, and those before it."""

    name: str
    module: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    is_wanted: bool = True
    past: list[subprocess.Popen[bytes]] = field(default_factory=list)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def start(self) -> None:
        """Start a process; its log is a file of its own."""
        if hasattr(self, "process"):
            self.past.append(self.process)
        tethered = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*tethered, sys.executable, "-X", "faulthandler", "-m", *self.module],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def log(self) -> Path:
        """The log of the present process."""
        return self.folder / f"{self.name}.{len(self.past)}.log"

    def said(self, text: str) -> bool:
        """Whether the present process has logged `text`."""
        return text in self.log.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as the out-of-memory killer does it; the fleet starts another."""
        self.process.kill()
        self.process.wait()

    def ask_to_stop(self) -> None:
        """SIGTERM, and no restart."""
        self.is_wanted = False
        self.send(signal.SIGTERM)

    def stop(self, seconds: float = 40) -> int:
        """SIGTERM, and wait; the exit code."""
        self.ask_to_stop()
        return self.process.wait(seconds)

    def last_words(self, lines: int = 60) -> str:
        """How it stands, and the end of its log; a living process is ended for it, and writes where its threads are."""
        state = "running" if self.is_alive else f"ended with {self.process.returncode}"
        if self.is_alive:
            self.send(signal.SIGABRT)
            self.process.wait(PATIENCE)
        text = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in text if "Connection refused" not in line][-lines:]
        return "\n".join([f"--- {self.name} (pid {self.pid}, {len(self.past)} before it, {state})", *telling])


class Fleet:
    """The service processes of one test."""

    def __init__(self, bootstrap: str, home: Path, **environment: str) -> None:
        self.bootstrap = bootstrap
        self.home = home
        self.members: dict[str, Member] = {}
        (home / "logs").mkdir(parents=True, exist_ok=True)
        self._environment = {
            **_without_settings(os.environ),
            "SAGA_BOOTSTRAP_SERVERS": bootstrap,
            "SAGA_HOME": str(home),
            "SAGA_PARTITIONS": "4",
            "PYTHONPATH": str(ROOT),
            **environment,
        }

    def start(self, name: str, *module: str, **environment: str) -> Member:
        """Start `python -m MODULE...` as a member of this name."""
        member = Member(name, module, {**self._environment, **environment}, self.home / "logs")
        self.members[name] = member
        return member

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def tend(self) -> None:
        """Start those again that have died and are wanted: a fenced process exits by design."""
        for member in self.members.values():
            if member.is_wanted and not member.is_alive:
                member.start()

    def dump(self) -> str:
        """The end of every log, and of every process: called when a test has failed."""
        return "\n".join(member.last_words() for member in self.members.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask all to stop, then kill what has not; nothing is left behind."""
        alive = [member for member in self.members.values() if member.is_alive]
        for member in alive:
            member.ask_to_stop()
        for member in alive:
            try:
                member.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                member.kill()


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anybody's settings of ours."""
    return {name: value for name, value in environment.items() if not name.startswith(("SAGA_", "CHAIN_"))}
