"""What code review keeps in the blob store: the change set and its analysis."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kafka_saga import BlobRef, Value
from schemas.events.code_review import AnalysisStatus, ChangeKind


class LineRange(Value):
    """Lines of a file, counted from 1, both ends included."""

    start: Annotated[int, Field(ge=1)]
    end: Annotated[int, Field(ge=1)]


class ChangedFile(Value):
    """One changed file: its content before and after by reference, and which lines of `after` are added."""

    path: str
    old_path: str | None = Field(default=None, description="the path in the base commit, if renamed")
    change: ChangeKind
    language: str | None = None
    before: BlobRef | None = Field(default=None, description="UTF-8 text; none if added, skipped or not known")
    after: BlobRef | None = Field(default=None, description="UTF-8 text; none if deleted or skipped")
    added: tuple[LineRange, ...] = ()
    additions: int = 0
    deletions: int = 0
    partial: str | None = Field(default=None, description="why `after` is not the whole file, if so (inline diff)")
    skipped: str | None = Field(default=None, description="why there is no content, if so")


class ChangeSet(Value):
    """All files that changed between base and head."""

    files: tuple[ChangedFile, ...]


class SymbolChange(StrEnum):
    """What happened to a symbol."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Symbol(Value):
    """A function, class, method or type that changed; lines are of `after`, of `before` if removed."""

    name: Annotated[str, Field(description="qualified within the file: `Cart.total`")]
    kind: str
    change: SymbolChange
    lines: LineRange


class SyntaxProblem(Value):
    """A place of `after` that the parser could not read."""

    line: Annotated[int, Field(ge=1)]
    column: Annotated[int, Field(ge=1)]
    message: str


class FunctionComplexity(Value):
    """Cyclomatic complexity of one function before and after; none where it does not exist."""

    name: str
    before: int | None = None
    after: int | None = None
    lines: LineRange | None = None


class FileAnalysis(Value):
    """What parsing one changed file before and after has shown."""

    path: str
    status: AnalysisStatus
    reason: str | None = None
    language: str | None = None
    symbols: tuple[Symbol, ...] = ()
    complexity: tuple[FunctionComplexity, ...] = ()
    syntax_errors: tuple[SyntaxProblem, ...] = ()


class Analysis(Value):
    """The analysis of every changed file, in the order of the change set."""

    files: tuple[FileAnalysis, ...]
