"""What a unified diff says about one file."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.events.code_review import ChangeKind
from services.validator.lines import DiffLine


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk; `old_start` and `new_start` are of its first line on each side, even where that side is empty."""

    line: int
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file of a diff, which begins at `line` of its text.

    `mode` is git's (0 if not told). `identity` tells content apart that the diff does not show as lines; `retyped`:
    it was something else (a link, a file) before.
    """

    line: int
    path: bytes
    change: ChangeKind
    old_path: bytes | None = None
    mode: int = 0
    similarity: int | None = None
    copied: bool = False
    retyped: bool = False
    binary: bool = False
    identity: str = ""
    hunks: tuple[Hunk, ...] = ()
