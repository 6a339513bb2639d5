"""What a reviewer is: it is shown a change set and answers with findings and coverage.

The step keeps only what is about added lines, bounds it and gives the verdict (`services.llm.judgement`), so a
reviewer may say too much, and forget files, without harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from schemas.documents.code_review import ChangedFile, FileAnalysis
from schemas.events.code_review import FileCoverage, Finding, PullRequest, ReviewConfig


@dataclass(frozen=True)
class FileToReview:
    """One changed file: what changed, its text after the change, and what parsing it has shown."""

    changed: ChangedFile
    text: str | None = None
    analysis: FileAnalysis | None = None

    @property
    def path(self) -> str:
        """Its path in the head commit."""
        return self.changed.path

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of its text without their ends; empty if there is no text."""
        return tuple(line.removesuffix("\r") for line in self.text.split("\n")) if self.text else ()

    @cached_property
    def added(self) -> frozenset[int]:
        """The numbers of its added lines, from 1."""
        return frozenset(number for lines in self.changed.added for number in range(lines.start, lines.end + 1))


@dataclass(frozen=True)
class ReviewRequest:
    """A pull request with everything a reviewer may look at."""

    pull_request: PullRequest
    config: ReviewConfig
    files: tuple[FileToReview, ...]


@dataclass(frozen=True)
class Opinion:
    """What a reviewer has to say."""

    findings: tuple[Finding, ...]
    coverage: tuple[FileCoverage, ...]


class Reviewer(Protocol):
    """Reads a change set and says what it thinks.

    `review` raises RetryableError for "not now" and TerminalError for "never"; when it is cancelled it stops all
    that it started.
    """

    @property
    def name(self) -> str:
        """What the review is signed with."""
        ...

    async def review(self, request: ReviewRequest) -> Opinion:
        """Findings and coverage; one coverage per file at most."""
        ...
