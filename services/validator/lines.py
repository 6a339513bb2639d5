"""Which lines a change adds, and what the change is as such, wherever in the history it is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pygit2 import Patch
from pygit2.enums import DiffOption

from schemas.documents.code_review import LineRange

CONTEXT_LINES = 3
_LIKE_GIT = DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC


@dataclass(frozen=True, slots=True)
class LineChanges:
    """Added lines of `after`, how many lines were added and deleted, and a digest of the change itself.

    `digest` covers the changed lines and three lines of context around them, but no line numbers: a rebase
    that moves the change up or down leaves it as it is. Unlike `git patch-id` it keeps white space, which means
    something in Python.
    """

    added: tuple[LineRange, ...] = ()
    additions: int = 0
    deletions: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a hunk; `origin` is ` `, `+` or `-`, `number` counts in `after` (from 1; 0 for `-`)."""

    origin: str
    number: int
    content: bytes


def compare(before: bytes, after: bytes) -> LineChanges:
    """The line changes from `before` to `after`, as `git diff` finds them."""
    if before == after:
        return summarise(())
    patch = Patch.create_from(before, after, flag=_LIKE_GIT, context_lines=CONTEXT_LINES)
    return summarise(
        tuple(
            DiffLine(line.origin, max(line.new_lineno, 0), line.raw_content)
            for line in hunk.lines
            if line.origin in " +-"
        )
        for hunk in patch.hunks
    )


def opaque(*identities: bytes) -> LineChanges:
    """The change of content that has no lines (binary, too large, a link), known by what it was and is."""
    return LineChanges(digest=hashlib.sha256(b"\x1f".join(identities)).digest())


def summarise(hunks: Iterable[tuple[DiffLine, ...]]) -> LineChanges:
    """The line changes that `hunks`, each a run of lines, amount to."""
    digest = hashlib.sha256()
    numbers: list[int] = []
    deletions = 0
    for hunk in hunks:
        digest.update(b"@")
        for line in hunk:
            digest.update(b"%c%d:%b" % (line.origin.encode(), len(line.content), line.content))
            if line.origin == "+":
                numbers.append(line.number)
            elif line.origin == "-":
                deletions += 1
    return LineChanges(tuple(ranges(numbers)), len(numbers), deletions, digest.digest())


def ranges(numbers: Iterable[int]) -> Iterator[LineRange]:
    """Ascending line numbers as ranges."""
    start = end = 0
    for number in numbers:
        if number != end + 1 or not start:
            if start:
                yield LineRange(start=start, end=end)
            start = number
        end = number
    if start:
        yield LineRange(start=start, end=end)
