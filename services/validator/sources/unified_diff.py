"""A pull request as an inline unified diff: what is known of each file is what the diff shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from schemas.events.code_review import ChangeKind
from services.validator.limits import Limits
from services.validator.lines import LineChanges, opaque, summarise
from services.validator.paths import printable
from services.validator.rejection import Code, RejectionError, too_many_files
from services.validator.sources.source import BaseFile, CommitRange, Content, FileChange, FileKind
from services.validator.unified.model import FileDiff, Hunk
from services.validator.unified.parser import parse

PARTIAL = "inline diff: only changed lines and their context are known, the other lines are blank"
NOT_SHOWN = "the inline diff does not show the content"

_EMPTY_BLOB = ("e69de29", "473a0f4")


class UnifiedDiff:
    """The files of a diff.

    Every line of `after` stands at its real line number; what the diff does not show before it is filled with blank
    lines. So findings point where they should, and nothing is invented that a rule could find fault with. A parser
    will see syntax errors at the seams, hence `partial`. Of a modified file `before` is not known at all: a patchwork
    of two sides would make every comparison of symbols wrong. New and deleted files are in the diff as a whole.
    The base commit is not known, so neither is its `.saga.toml`.
    """

    def __init__(self, text: str, base_sha: str, head_sha: str, limits: Limits) -> None:
        self._text = text
        self._range = CommitRange(base_sha, head_sha, None)
        self._limits = limits

    def commit_range(self) -> CommitRange:
        """The commits as the event names them: nobody can look them up."""
        return self._range

    def read_at_base(self, path: str) -> BaseFile | None:
        """None: the base commit is not known."""
        return None

    def changes(self) -> Sequence[FileChange]:
        """All files of the diff, by path. Rejects as bad_diff what cannot be read, with the line."""
        return self._changes

    @cached_property
    def _changes(self) -> Sequence[FileChange]:
        files = _by_path(parse(self._text))
        if len(files) > self._limits.entries:
            raise too_many_files(len(files), self._limits.entries)
        return tuple(_file_change(files[path]) for path in sorted(files))


def _by_path(files: Sequence[FileDiff]) -> dict[bytes, FileDiff]:
    """Files by path. git shows a change of type (file to link) as a deletion, then an addition, of one path."""
    found: dict[bytes, FileDiff] = {}
    for file in files:
        previous = found.get(file.path)
        if previous is not None and (previous.change, file.change) != (ChangeKind.DELETED, ChangeKind.ADDED):
            what = f"source.text line {file.line}: {printable(file.path)} occurs again (first in line {previous.line})"
            raise RejectionError(Code.BAD_DIFF, f"{what}: give one diff, `git diff base...head`")
        found[file.path] = file if previous is None else replace(file, retyped=True)
    return found


def _file_change(file: FileDiff) -> FileChange:
    kind = FileKind.of_mode(file.mode) if file.mode else FileKind.FILE
    before, after, partial, problem = _contents(file)
    return FileChange(
        path=file.path,
        change=ChangeKind.MODIFIED if file.retyped else file.change,
        kind=kind,
        lines=_line_changes(file),
        old_path=file.old_path,
        similarity=file.similarity,
        before=before,
        after=after,
        partial=partial,
        problem=problem,
    )


def _line_changes(file: FileDiff) -> LineChanges:
    if file.hunks:
        return summarise(hunk.lines for hunk in file.hunks)
    return opaque(file.identity.encode()) if file.binary else summarise(())


def _contents(file: FileDiff) -> tuple[Content | None, Content | None, str | None, str | None]:
    """What is known before and after, why `after` is partial, and why there is nothing, if so."""
    if file.binary:
        return None, None, None, "binary"
    if file.change is ChangeKind.DELETED:
        shown = bool(file.hunks) or file.identity.startswith(_EMPTY_BLOB)
        return (_side(file.hunks, "-"), None, None, None) if shown else (None, None, None, NOT_SHOWN)
    after = _side(file.hunks, "+")
    whole = file.change is ChangeKind.ADDED and not file.copied
    return None, after, None if whole else PARTIAL, None


def _side(hunks: tuple[Hunk, ...], sign: str) -> Content:
    """One side of the file; its size is known without building it, since a hunk may claim any line number."""
    shown = sum(len(line.content) for hunk in hunks for line in hunk.lines if line.origin in {" ", sign})
    lines = sum(_count(hunk, sign) for hunk in hunks)
    blank = _start(hunks[-1], sign) + _count(hunks[-1], sign) - 1 - lines if hunks else 0
    return Content(blank + shown, lambda: _build(hunks, sign))


def _build(hunks: tuple[Hunk, ...], sign: str) -> bytes:
    parts: list[bytes] = []
    number = 1
    for hunk in hunks:
        parts.append(b"\n" * (_start(hunk, sign) - number))
        parts.extend(line.content for line in hunk.lines if line.origin in {" ", sign})
        number = _start(hunk, sign) + _count(hunk, sign)
    return b"".join(parts)


def _start(hunk: Hunk, sign: str) -> int:
    return hunk.new_start if sign == "+" else hunk.old_start


def _count(hunk: Hunk, sign: str) -> int:
    return hunk.new_count if sign == "+" else hunk.old_count
