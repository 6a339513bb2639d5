"""Opening a git repository for reading only: no search, no hooks, no configuration of this machine's users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, RepositoryOpenFlag

from kafka_saga import RetryableError
from services.validator.paths import printable
from services.validator.rejection import Code, RejectionError

_USER_LEVELS = (ConfigLevel.PROGRAMDATA, ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL)


def open_repository(path: str) -> pygit2.Repository:
    """The repository (bare or not) at exactly `path`, an absolute folder.

    Raises RejectionError (unknown_repository) if there is none, RetryableError if the folder cannot be read now.
    """
    where = printable(path.encode("utf-8", "surrogateescape"))
    _require_folder(path, where)
    _isolate()
    try:
        return pygit2.Repository(path, RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        what = f"{where} is not a git repository that can be read ({error})"
        raise RejectionError(Code.UNKNOWN_REPOSITORY, f"{what}: give the folder that holds .git") from error


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Failures to read objects inside become RetryableError: a repack, a fetch or a disk may be in the way."""
    try:
        yield
    except KeyError as error:
        what = f"git repository {path}: object {error.args[0]} is missing: fetch it, or run `git fsck` there"
        raise RetryableError(what) from error
    except (pygit2.GitError, OSError) as error:
        raise RetryableError(f"git repository {path} cannot be read: {error}") from error


def _require_folder(path: str, where: str) -> None:
    if not Path(path).is_absolute():
        raise RejectionError(Code.UNKNOWN_REPOSITORY, f"source.path {where} is relative: give an absolute folder")
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        what = f"no git repository at {where}: the folder does not exist on the validator's machine"
        raise RejectionError(Code.UNKNOWN_REPOSITORY, what) from error
    except OSError as error:
        raise RetryableError(f"the folder {where} cannot be read: {error.strerror or error}") from error


@cache
def _isolate() -> None:
    """Once a process: read repositories whoever owns them, and no git configuration from outside of them.

    git's safe.directory protects from hooks and configured commands; libgit2 runs neither when objects are read.
    """
    pygit2.settings.owner_validation = False
    for level in _USER_LEVELS:
        pygit2.settings.search_path[level] = ""
