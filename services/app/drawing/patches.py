"""The unified diff of one file as lines that can be shown, with the findings at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet
from unidiff.patch import Line as Parsed

from schemas.review import ReviewFinding

LONGEST_PATCH = 20_000
"""Lines of a diff above which it is not read at all."""

_LONGEST_LINE = 1000
_HEADERS = "--- a/file\n+++ b/file\n"


class Change(StrEnum):
    """What became of a line."""

    ADDED = "added"
    REMOVED = "removed"
    CONTEXT = "context"
    HUNK = "hunk"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the diff; of a hunk's header and of notes the numbers are none."""

    change: Change
    text: str
    old: int | None = None
    new: int | None = None
    findings: tuple[ReviewFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """A file's diff; `problem` says why there are no rows, or not all of them."""

    rows: tuple[Row, ...]
    left_out: int = 0
    problem: str | None = None


def read(patch: str, limit: int) -> Patch:
    """The first `limit` lines of a diff of one file, whatever it calls the file."""
    count = patch.count("\n")
    if count > LONGEST_PATCH:
        return Patch((), count, f"This diff has {count:,} lines: too many to be shown.")
    try:
        rows = [row for hunk in _hunks(patch) for row in _rows(hunk)]
    except (UnidiffParseError, ValueError, OverflowError) as error:
        return Patch((), count, f"This diff cannot be read: {str(error)[:200]}")
    return Patch(tuple(rows[:limit]), max(0, len(rows) - limit))


def with_findings(
    rows: Sequence[Row], findings: Iterable[ReviewFinding]
) -> tuple[tuple[Row, ...], tuple[ReviewFinding, ...]]:
    """The rows with the findings below the last of their lines that is shown, and the findings at none of them."""
    places = {row.new: at for at, row in enumerate(rows) if row.new is not None}
    at_rows: dict[int, list[ReviewFinding]] = {}
    outside = []
    for finding in findings:
        place = _place(finding, places)
        if place is None:
            outside.append(finding)
        else:
            at_rows.setdefault(place, []).append(finding)
    joined = (
        Row(row.change, row.text, row.old, row.new, tuple(at_rows[at])) if at in at_rows else row
        for at, row in enumerate(rows)
    )
    return tuple(joined), tuple(outside)


def _place(finding: ReviewFinding, places: dict[int, int]) -> int | None:
    last = finding.line if finding.end_line is None else max(finding.line, finding.end_line)
    return max((at for line, at in places.items() if finding.line <= line <= last), default=None)


def _hunks(patch: str) -> list[Hunk]:
    """The file's own name is passed over: it may hold anything."""
    start = 0 if patch.startswith("@@ ") else patch.find("\n@@ ") + 1
    if start == 0 and not patch.startswith("@@ "):
        return []
    found = PatchSet.from_string(_HEADERS + patch[start:])
    return [hunk for file in found for hunk in file]


def _rows(hunk: Hunk) -> Iterable[Row]:
    header = f"@@ -{hunk.source_start},{hunk.source_length} +{hunk.target_start},{hunk.target_length} @@"
    yield Row(Change.HUNK, f"{header} {hunk.section_header}".rstrip())
    for line in hunk:
        yield Row(_change(line), _text(line), line.source_line_no, line.target_line_no)


def _change(line: Parsed) -> Change:
    if line.is_added:
        return Change.ADDED
    if line.is_removed:
        return Change.REMOVED
    return Change.CONTEXT if line.is_context else Change.NOTE


def _text(line: Parsed) -> str:
    """A carriage return at the end stays visible: it may be all that was changed."""
    text = line.value.removesuffix("\n")
    text = f"{text[:-1]}⟨CR⟩" if text.endswith("\r") else text
    left = len(text) - _LONGEST_LINE
    return text if left <= 0 else f"{text[:_LONGEST_LINE]}… ({left:,} more characters)"
