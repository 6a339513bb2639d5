"""Reads a whole unified diff, with or without git's headers."""

from __future__ import annotations

import re

from schemas.events.code_review import ChangeKind
from services.validator.rejection import Code, RejectionError
from services.validator.unified.cursor import Cursor
from services.validator.unified.git_header import GIT, binary_names, read_git_file
from services.validator.unified.hunks import HEADER, read_hunks
from services.validator.unified.model import FileDiff, Hunk
from services.validator.unified.names import DEV_NULL, header_name, plain_names

_COMBINED = re.compile(r"diff --(cc|combined) |@@@+ -")
# GNU diff -N gives a file that does not exist the beginning of time, in the local time zone.
_NEVER = re.compile(r"\t(1970-01-01|1969-12-31) ")


def parse(text: str) -> tuple[FileDiff, ...]:
    """The files of the diff `text`, in its order; text between files (commit messages) is not looked at.

    Raises RejectionError (bad_diff) with the line for what is malformed, and for combined diffs of merges.
    """
    cursor = Cursor(text)
    files: list[FileDiff] = []
    while (line := cursor.peek()) is not None:
        found = _read_file(cursor, line)
        if found is not None:
            _require_whole(found)
            files.append(found)
    if not files and text.strip():
        raise RejectionError(
            Code.BAD_DIFF, "source.text has no file of a unified diff: give what `git diff base...head` prints"
        )
    return tuple(files)


def _read_file(cursor: Cursor, line: str) -> FileDiff | None:
    """The file that begins at `line`; none, and the line read, if it begins no file."""
    if _COMBINED.match(line):
        raise cursor.rejection("a combined diff of a merge has no single before: give `git diff base...head`")
    if line.startswith(GIT):
        return read_git_file(cursor)
    if line.startswith("--- ") and (cursor.peek(1) or "").startswith("+++ "):
        return _read_plain_file(cursor)
    if HEADER.match(line):
        raise cursor.rejection("a hunk before any file: its `---` and `+++` lines are missing")
    at = cursor.number
    cursor.next()
    names = binary_names(line)
    return None if names is None else _plain_binary(at, names)


def _require_whole(file: FileDiff) -> None:
    """A new file has nothing before, a deleted one nothing after; else the diff contradicts itself."""
    match file:
        case FileDiff(change=ChangeKind.ADDED, copied=False, hunks=(first, *_)) if not _is_empty_before(file.hunks):
            what = "a new file has one hunk, `@@ -0,0 +1,count @@`"
        case FileDiff(change=ChangeKind.DELETED, hunks=(first, *_)) if not _is_empty_after(file.hunks):
            what = "a deleted file has one hunk, `@@ -1,count +0,0 @@`"
        case _:
            return
    raise RejectionError(Code.BAD_DIFF, f"source.text line {first.line}: {what}")


def _read_plain_file(cursor: Cursor) -> FileDiff:
    at = cursor.number
    minus, plus = cursor.next()[4:], cursor.next()[4:]
    hunks = read_hunks(cursor)
    if not hunks:
        raise cursor.rejection(f"the file in line {at} has no hunk")
    old, new = plain_names(header_name(minus), header_name(plus))
    if old == DEV_NULL or (_NEVER.search(minus) and _is_empty_before(hunks)):
        return FileDiff(at, new, ChangeKind.ADDED, hunks=hunks)
    if new == DEV_NULL or (_NEVER.search(plus) and _is_empty_after(hunks)):
        return FileDiff(at, old, ChangeKind.DELETED, hunks=hunks)
    return FileDiff(at, new, ChangeKind.MODIFIED, hunks=hunks)


def _plain_binary(at: int, names: tuple[bytes, bytes]) -> FileDiff:
    old, new = plain_names(*names)
    if old == DEV_NULL:
        return FileDiff(at, new, ChangeKind.ADDED, binary=True)
    if new == DEV_NULL:
        return FileDiff(at, old, ChangeKind.DELETED, binary=True)
    return FileDiff(at, new, ChangeKind.MODIFIED, binary=True)


def _is_empty_before(hunks: tuple[Hunk, ...]) -> bool:
    return len(hunks) == 1 and hunks[0].old_count == 0 and hunks[0].old_start == 1


def _is_empty_after(hunks: tuple[Hunk, ...]) -> bool:
    return len(hunks) == 1 and hunks[0].new_count == 0 and hunks[0].new_start == 1
