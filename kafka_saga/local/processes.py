"""Processes known by pid and start time, so that a pid used again is never taken for ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
#: The kernel ties "dies with its parent" to the thread that started the child: one that lives as long as we do.
_TETHERED = ThreadPoolExecutor(1, thread_name_prefix="embedded-kafka")
_POLL = 0.02


@dataclass(frozen=True)
class ChildProcess:
    """A process: `mark` tells it from another one that got the same pid later, also after a reboot."""

    pid: int
    mark: str

    def is_alive(self) -> bool:
        """Whether it still runs (a dead child of ours is reaped)."""
        seen = sight(self.pid)
        if seen is None or seen.mark != self.mark:
            return False
        with suppress(ChildProcessError):
            return os.waitpid(self.pid, os.WNOHANG) == (0, 0)
        return not seen.is_zombie

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it is gone."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end."""
        return eventually(lambda: not self.is_alive(), seconds)

    def terminate(self, patience: float) -> bool:
        """Ask it to end, kill it after `patience` seconds; whether it ended by itself."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        if self.ends_within(patience):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """Kill it (SIGKILL) and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.ends_within(30)


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask until `condition` holds or `seconds` have passed; whether it held."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL)
    return True


def spawn(command: Sequence[str], environment: Mapping[str, str], output: Path, *, tethered: bool) -> ChildProcess:
    """Start `command` in a session of its own, its output in the file `output`.

    A tethered process is killed by the kernel when ours ends (Linux; elsewhere it must be stopped).
    """
    parent = os.getpid() if tethered else 0
    launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(parent), *command]
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]

    def start() -> int:
        return os.posix_spawn(sys.executable, launch, environment, file_actions=streams)

    pid = _TETHERED.submit(start).result() if tethered else start()
    seen = sight(pid)
    return ChildProcess(pid, seen.mark if seen else "ended")


@dataclass(frozen=True)
class Sight:
    """What the system tells of a pid."""

    mark: str
    is_zombie: bool


def sight(pid: int) -> Sight | None:
    """Look at whatever has that pid now; None when nothing has."""
    return _sight_by_proc(pid) if sys.platform == "linux" else _sight_by_ps(pid)


def _sight_by_proc(pid: int) -> Sight | None:
    """The mark is the boot id and the start time in clock ticks since boot: field 22 of /proc/PID/stat, proc(5)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    threads, started = int(fields[16]), fields[18]
    # a killed process is a zombie as soon as its first thread is gone; the others may still hold its ports
    return Sight(f"{boot}:{started}", is_zombie=state in "ZX" and threads <= 1)


def _sight_by_ps(pid: int) -> Sight | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    line = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}).stdout.strip()
    state, _, started = line.partition(" ")
    return Sight(started.strip(), is_zombie=state.startswith("Z")) if line else None
