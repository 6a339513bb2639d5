"""A place in the text of a diff, which can say what is wrong there."""

from __future__ import annotations

from services.validator.rejection import Code, RejectionError

SHOWN = 80


class Cursor:
    """Reads the lines of a diff one after the other. Lines count from 1.

    A diff whose every line ends in CR LF went through a tool that changed line ends: then they are taken off. A diff
    where only some do shows files with CR LF, whose lines keep theirs.
    """

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        if lines and all(line.endswith("\r") for line in lines):
            lines = [line[:-1] for line in lines]
        self._lines = lines
        self._at = 0

    @property
    def number(self) -> int:
        """The number of the line that comes next."""
        return self._at + 1

    def peek(self, ahead: int = 0) -> str | None:
        """The line that comes next (or `ahead` lines later) without reading it; none at the end."""
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else None

    def next(self) -> str:
        """Read one line."""
        line = self._lines[self._at]
        self._at += 1
        return line

    def rejection(self, what: str) -> RejectionError:
        """What is wrong with the line that comes next."""
        line = self.peek()
        shown = "the end" if line is None else repr(line[:SHOWN])
        return RejectionError(Code.BAD_DIFF, f"source.text line {self.number} ({shown}): {what}")
