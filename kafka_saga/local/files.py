"""Files that two processes may touch at once: locks, atomic writes, and disk errors said in one sentence."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka_saga.errors import UnavailableError


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path` against every other process; `waiting` is called once when somebody else has it.

    The kernel releases the lock when its holder dies, so a lock is never stale.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` so that a reader sees the old text or the new one, never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn an OSError about `folder` into an UnavailableError of one sentence."""
    try:
        yield
    except OSError as error:
        raise disk_error(folder, error) from error


def disk_error(folder: Path, error: OSError) -> UnavailableError:
    """Say what a disk refused and what to do about it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full_disk(folder)
    what = error.strerror or str(error)
    return UnavailableError(f"Cannot use {error.filename or folder}: {what}; check the folder and its permissions.")


def full_disk(folder: Path) -> UnavailableError:
    """The sentence for a full disk."""
    return UnavailableError(f"The disk that holds {folder} is full: free some space, then try again.")
