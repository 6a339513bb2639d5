"""Reads the hunks of one file, holding each to the counts it promises."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.validator.lines import DiffLine
from services.validator.unified.cursor import Cursor
from services.validator.unified.model import Hunk

HEADER = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
# "\ No newline at end of file", which GNU diff translates.
NO_NEWLINE = "\\ "
SIGNATURE = "-- "
_SIDES = {" ": "-+", "-": "-", "+": "+"}


@dataclass(slots=True)
class _Body:
    """The lines of a hunk so far; `left` counts what each side still lacks, `closed` the sides whose file has ended."""

    left: dict[str, int]
    number: int
    lines: list[DiffLine] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    def problem(self, origin: str) -> str | None:
        sides = _SIDES.get(origin)
        if sides is None:
            return "a line of a hunk begins with a space, +, - or \\"
        if any(self.left[side] == 0 for side in sides):
            return "more lines than the hunk's header promises"
        if self.closed.intersection(sides):
            return "a line after the one without newline at the end of the file"
        return None

    def add(self, line: str) -> None:
        origin = line[:1] or " "
        number = 0
        if origin != "-":
            number, self.number = self.number, self.number + 1
        self.lines.append(DiffLine(origin, number, f"{line[1:]}\n".encode("utf-8", "replace")))
        for side in _SIDES[origin]:
            self.left[side] -= 1

    def end_without_newline(self) -> None:
        last = self.lines[-1]
        self.lines[-1] = DiffLine(last.origin, last.number, last.content.removesuffix(b"\n"))
        self.closed.update(_SIDES[last.origin])


def read_hunks(cursor: Cursor) -> tuple[Hunk, ...]:
    """All hunks that follow. Rejects as bad_diff what does not fit together."""
    hunks: list[Hunk] = []
    while (line := cursor.peek()) is not None and line.startswith("@@"):
        hunks.append(_read_hunk(cursor, hunks[-1] if hunks else None))
    line = cursor.peek() or ""
    if hunks and line[:1] in {"+", "-", " "} and not _is_next_header(cursor, line):
        raise cursor.rejection(f"more lines than the header of the hunk in line {hunks[-1].line} promises")
    return tuple(hunks)


def _is_next_header(cursor: Cursor, line: str) -> bool:
    return line.rstrip() == SIGNATURE.rstrip() or (
        line.startswith("--- ") and (cursor.peek(1) or "").startswith("+++ ")
    )


def _read_hunk(cursor: Cursor, previous: Hunk | None) -> Hunk:
    found = HEADER.match(cursor.peek() or "")
    if found is None:
        raise cursor.rejection("a hunk's header reads `@@ -line,count +line,count @@`")
    old, old_count, new, new_count = (1 if number is None else int(number) for number in found.groups())
    # A side without lines names the line before it.
    old_start, new_start = old + (old_count == 0), new + (new_count == 0)
    problem = _header_problem((old_start, old_count), (new_start, new_count), previous)
    if problem is not None:
        raise cursor.rejection(problem)
    at = cursor.number
    cursor.next()
    lines = _read_body(cursor, at, _Body({"-": old_count, "+": new_count}, new_start))
    return Hunk(at, old_start, old_count, new_start, new_count, lines)


def _header_problem(old: tuple[int, int], new: tuple[int, int], previous: Hunk | None) -> str | None:
    if old[1] == new[1] == 0:
        return "a hunk without lines"
    if old[0] == 0 or new[0] == 0:
        return "lines count from 1"
    if previous is None:
        return None
    if old[0] < previous.old_start + previous.old_count or new[0] < previous.new_start + previous.new_count:
        return f"this hunk overlaps the one in line {previous.line}, or comes before it"
    return None


def _read_body(cursor: Cursor, at: int, body: _Body) -> tuple[DiffLine, ...]:
    while any(body.left.values()) or (body.lines and (cursor.peek() or "").startswith(NO_NEWLINE)):
        line = cursor.peek()
        if line is None:
            old, new = body.left["-"], body.left["+"]
            raise cursor.rejection(f"the hunk in line {at} lacks {old} old and {new} new lines: the diff is cut off")
        if line.startswith(NO_NEWLINE) and body.lines:
            body.end_without_newline()
        else:
            problem = body.problem(line[:1] or " ")
            if problem is not None:
                raise cursor.rejection(problem)
            body.add(line)
        cursor.next()
    return tuple(body.lines)
