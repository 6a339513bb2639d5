"""The events of code review: pr.received -> pr.validated -> ast.completed -> llm.completed -> comments.created.

Large content travels by claim check (`kafka_saga.events.blob.BlobRef`); the documents behind those references are in
`schemas.documents.code_review`. Every event carries the pull request, so a consumer needs no other event.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from kafka_saga import BlobRef, Event, Value

Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")]
Repository = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\s@#]+$")]


class GitSource(Value):
    """A repository on this machine's disk."""

    kind: Literal["git"] = "git"
    path: Annotated[str, Field(min_length=1, description="folder of the repository, absolute")]


class DiffSource(Value):
    """A unified diff, as `git diff` prints it; only added and context lines are then known of each file."""

    kind: Literal["diff"] = "diff"
    text: str


Source = Annotated[GitSource | DiffSource, Field(discriminator="kind")]


class PullRequest(Value):
    """What a pull request is, without where its content lies."""

    repository: Repository
    number: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(max_length=1000)]
    base_sha: Sha
    head_sha: Sha
    author: str | None = None
    description: str | None = None
    url: str | None = None


class PrReceived(Event, PullRequest):
    """A pull request has a new head. The public contract: anyone may publish it as plain JSON."""

    event_type: ClassVar[str] = "pr.received"

    source: Source


class StageStatus(StrEnum):
    """How a light stage of the validator ended."""

    PASSED = "passed"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class Stage(Value):
    """One light stage of the validator: what it did and how long it took."""

    name: str
    status: StageStatus
    duration_ms: Annotated[float, Field(ge=0)]
    note: str | None = None


class Severity(StrEnum):
    """How much a finding matters, ascending."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ReviewConfig(Value):
    """What `.saga.toml` of the base commit asks for."""

    include: tuple[str, ...] = Field(default=(), description="gitignore-style patterns; empty: everything")
    exclude: tuple[str, ...] = Field(default=(), description="gitignore-style patterns")
    min_severity: Severity = Severity.LOW
    disabled_rules: tuple[str, ...] = ()
    max_file_bytes: Annotated[int, Field(gt=0, description="bytes")] = 512 * 1024
    max_inline_comments: Annotated[int, Field(ge=0, le=30)] = 30
    origin: str = Field(default="defaults", description="`defaults`, or `.saga.toml@<base sha>`")


class ChangeKind(StrEnum):
    """What happened to a file between base and head."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


class ChangedFileSummary(Value):
    """One changed file; `skipped` is the reason why nobody will look at its content, if so."""

    path: str
    change: ChangeKind
    language: str | None = None
    additions: Annotated[int, Field(ge=0, description="lines")] = 0
    deletions: Annotated[int, Field(ge=0, description="lines")] = 0
    skipped: str | None = None


class PrValidated(Event):
    """The pull request is worth a review, and its content is in the blob store."""

    event_type: ClassVar[str] = "pr.validated"

    pull_request: PullRequest
    config: ReviewConfig
    stages: tuple[Stage, ...]
    files: tuple[ChangedFileSummary, ...]
    changes: Annotated[BlobRef, Field(description="a `ChangeSet` document")]


class PrRejected(Event):
    """The pull request needs no review, or cannot have one; `reason` says which."""

    event_type: ClassVar[str] = "pr.rejected"

    pull_request: PullRequest
    code: Annotated[str, Field(description="for machines: nothing_new, no_changes, bad_config, unknown_commit, ...")]
    reason: str
    stages: tuple[Stage, ...]


class AnalysisStatus(StrEnum):
    """How far the analysis of one file got."""

    PARSED = "parsed"
    SYNTAX_ERRORS = "syntax_errors"
    UNSUPPORTED = "unsupported"
    UNPARSABLE = "unparsable"
    SKIPPED = "skipped"


class FileAnalysisSummary(Value):
    """Figures of one file's analysis; complexity is the sum of cyclomatic complexity over its functions."""

    path: str
    status: AnalysisStatus
    reason: str | None = None
    language: str | None = None
    symbols_added: int = 0
    symbols_changed: int = 0
    symbols_removed: int = 0
    syntax_errors: int = 0
    complexity_before: int | None = None
    complexity_after: int | None = None


class AstCompleted(Event):
    """The changed files have been parsed before and after."""

    event_type: ClassVar[str] = "ast.completed"

    pull_request: PullRequest
    config: ReviewConfig
    changes: Annotated[BlobRef, Field(description="a `ChangeSet` document")]
    analysis: Annotated[BlobRef, Field(description="an `Analysis` document")]
    files: tuple[FileAnalysisSummary, ...]


class Finding(Value):
    """One thing a reviewer has to say about added lines. Lines count from 1, both ends included."""

    path: str
    start_line: Annotated[int, Field(ge=1)]
    end_line: Annotated[int, Field(ge=1)]
    severity: Severity
    category: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    message: str
    suggestion: str | None = None
    rule_id: str
    evidence: Annotated[str, Field(description="the lines it is about, trimmed")]


class CoverageStatus(StrEnum):
    """How much of a changed file a reviewer saw."""

    REVIEWED = "reviewed"
    PARTIAL = "partial"
    SKIPPED = "skipped"


class FileCoverage(Value):
    """Whether one changed file was reviewed, and if not whole, why."""

    path: str
    status: CoverageStatus
    reason: str | None = None


class Verdict(StrEnum):
    """What the review says as a whole; `incomplete` if no findings but not everything was seen."""

    CLEAN = "clean"
    FINDINGS = "findings"
    INCOMPLETE = "incomplete"


class LlmCompleted(Event):
    """The reviewer has spoken: findings on added lines, and coverage of every changed file."""

    event_type: ClassVar[str] = "llm.completed"

    pull_request: PullRequest
    config: ReviewConfig
    changes: Annotated[BlobRef, Field(description="a `ChangeSet` document")]
    reviewer: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    findings_dropped: Annotated[int, Field(ge=0, description="findings beyond the bound, least severe first")] = 0
    coverage: tuple[FileCoverage, ...]


class CommentsCreated(Event):
    """The review is where people read it."""

    event_type: ClassVar[str] = "comments.created"

    pull_request: PullRequest
    verdict: Verdict
    sink: Annotated[str, Field(description="`folder`")]
    marker: Annotated[str, Field(description="what makes posting it twice harmless")]
    location: Annotated[str, Field(description="where the review was written")]
    inline_comments: Annotated[int, Field(ge=0)]
    summarised: Annotated[int, Field(ge=0, description="findings that are only in the summary")]
    files: Annotated[tuple[str, ...], Field(description="names of the written files, below location")]
