"""A code review as people read it: the diff with the findings at their lines, and what was looked at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Answer, Count, Value


class ReviewFinding(Value):
    """A finding; its lines are those of the file after the change. `path` is only given outside its file."""

    line: int
    end_line: int | None
    severity: str
    rule: str
    category: str
    confidence: float
    message: str
    suggestion: str | None = None
    evidence: str = ""
    path: str | None = None


class ReviewFile(Value):
    """A changed file; `patch` is its unified diff, none if its content is not known (`skipped` then says why)."""

    path: str
    old_path: str | None = None
    status: Annotated[str, Field(description="added, modified, deleted, renamed")]
    language: str | None = None
    additions: Count = 0
    deletions: Count = 0
    skipped: str | None = None
    coverage: Annotated[str | None, Field(description="reviewed, partial or skipped; none before the review")] = None
    coverage_reason: str | None = None
    patch: str | None = None
    findings: tuple[ReviewFinding, ...] = ()


class Coverage(Value):
    """How many changed files were looked at."""

    files: Count = 0
    reviewed: Count = 0
    partial: Count = 0
    skipped: Count = 0


class Review(Answer):
    """The review of a pull request, as far as it has come; `why_not` says why there is none."""

    available: bool
    why_not: str | None = None
    repository: str | None = None
    number: int | None = None
    title: str | None = None
    author: str | None = None
    base: str | None = None
    head: str | None = None
    verdict: str | None = None
    rejected: str | None = None
    location: Annotated[str | None, Field(description="where the review was written")] = None
    files: tuple[ReviewFile, ...] = ()
    findings: dict[str, int] = Field(default_factory=dict, description="how many of each severity")
    findings_dropped: Count = 0
    findings_outside: Annotated[tuple[ReviewFinding, ...], Field(description="in no file, or at no line, shown")] = ()
    coverage: Coverage = Coverage()
