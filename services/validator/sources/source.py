"""What the validator asks of whatever holds the content of a pull request."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from schemas.events.code_review import ChangeKind
from services.validator.lines import LineChanges


class FileKind(StrEnum):
    """What a path stands for."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    FOLDER = "folder"

    @classmethod
    def of_mode(cls, mode: int) -> FileKind:
        """What git's `mode` of a tree entry stands for."""
        match stat.S_IFMT(mode):
            case stat.S_IFLNK:
                return cls.SYMLINK
            case stat.S_IFDIR:
                return cls.FOLDER
            case stat.S_IFREG:
                return cls.EXECUTABLE if mode & stat.S_IXUSR else cls.FILE
            case _:
                return cls.SUBMODULE


REGULAR = frozenset({FileKind.FILE, FileKind.EXECUTABLE})


@dataclass(frozen=True, slots=True)
class Content:
    """One side of a changed file: its size in bytes, and how to get at it."""

    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file as the source has it; paths are raw bytes and not to be trusted.

    `problem` says why there is no content to look at; `partial` why `after` is not the whole file. `similarity` is
    of the two sides of a rename, in percent.
    """

    path: bytes
    change: ChangeKind
    kind: FileKind = FileKind.FILE
    lines: LineChanges = field(default_factory=LineChanges)
    old_path: bytes | None = None
    similarity: int | None = None
    before: Content | None = None
    after: Content | None = None
    partial: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CommitRange:
    """The resolved ends of a pull request; `commits` is how many lie between them, none if nobody knows."""

    base: str
    head: str
    commits: int | None


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A file of the base commit: `identity` changes when its content does."""

    kind: FileKind
    identity: str
    content: Content


class Source(Protocol):
    """Where the content of a pull request lies. A source reads: it follows no link, runs nothing, writes nothing.

    Every method may raise RejectionError (this pull request cannot be reviewed) or RetryableError (not now).
    """

    def commit_range(self) -> CommitRange:
        """Both ends, found and resolved to full object names."""
        ...

    def read_at_base(self, path: str) -> BaseFile | None:
        """The file at `path` in the base commit; none if there is none, or if the base is not known."""
        ...

    def changes(self) -> Sequence[FileChange]:
        """All changed files, ordered by path. Rejects as too_large above the bound on entries."""
        ...
