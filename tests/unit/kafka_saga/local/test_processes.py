"""Processes known by pid and start time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kafka_saga.local.processes import ChildProcess, eventually, sight, spawn

FOREVER = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def spawned(command: list[str], output: Path) -> ChildProcess:
    process = spawn(command, os.environ, output, tethered=True)
    assert eventually(lambda: output.exists() and "up" in output.read_text(encoding="utf-8"), 30)
    return process


def test_a_spawned_process_lives_in_its_own_session_until_it_is_terminated(tmp_path: Path) -> None:
    process = spawned(FOREVER, tmp_path / "out")
    assert process.is_alive()
    assert os.getsid(process.pid) == process.pid
    assert process.terminate(30)
    assert not process.is_alive()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = spawned(STUBBORN, tmp_path / "out")
    assert not process.terminate(0)
    assert not process.is_alive()


def test_another_process_with_the_same_pid_is_not_ours() -> None:
    assert not ChildProcess(os.getpid(), "an earlier boot:1").is_alive()
    assert not ChildProcess(2**22 + 1, "nobody").is_alive()


def test_a_zombie_of_somebody_else_is_not_alive() -> None:
    script = "import subprocess, sys; p = subprocess.Popen(['true']); print(p.pid, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        seen = sight(pid)
        assert seen is not None
        assert eventually(lambda: not ChildProcess(pid, seen.mark).is_alive(), 30)
        parent.kill()
