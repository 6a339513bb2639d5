"""Locks, atomic writes and disk errors."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.local.files import disk_errors, locked, write_atomically

HOLD = """
import sys
from pathlib import Path
from kafka_saga.local.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).parents[4]


def test_a_lock_held_by_another_process_is_waited_for_and_freed_when_that_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / "lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        waited: list[bool] = []

        def waiting() -> None:
            waited.append(True)
            holder.kill()

        with locked(lock, waiting):
            assert waited == [True]


def test_an_atomic_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", "one")
    write_atomically(tmp_path / "f", "two")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["two"]


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(UnavailableError, match=rf"^The disk that holds {tmp_path} is full: [^\n]+$"),
        disk_errors(tmp_path),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_forbidden_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"Cannot use /f: Permission denied"), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", "/f")
