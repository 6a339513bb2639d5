"""Code reviews in memory: a real tracker on the in-memory log, with handlers that say what a review says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kafka_saga.definition.model import OnFailure
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.testing import SagaTest
from kafka_saga.worker.service import Handler
from schemas.documents.code_review import Analysis, ChangedFile, ChangeSet, LineRange
from schemas.events.code_review import (
    AstCompleted,
    ChangedFileSummary,
    ChangeKind,
    CommentsCreated,
    CoverageStatus,
    DiffSource,
    FileCoverage,
    Finding,
    LlmCompleted,
    PrReceived,
    PrRejected,
    PrValidated,
    PullRequest,
    ReviewConfig,
    Severity,
    Verdict,
)
from tests.unit.kafka_saga.cli.given import announced
from topology.code_review import CODE_REVIEW

REVIEWS = replace(CODE_REVIEW, on_failure=OnFailure.INCIDENT)
"""Code review whose failed steps wait for a person."""

BEFORE = "def total(items):\n    return sum(items)\n"
AFTER = "def total(items):\n    eval(items)\n    return sum(items)\n"


def pull_request(number: int, title: str = "Sell hats") -> PrReceived:
    """A pull request, as somebody would publish it."""
    return PrReceived(
        repository="acme/shop",
        number=number,
        title=title,
        base_sha="a" * 40,
        head_sha=f"{number:040x}",
        author="ada",
        source=DiffSource(text="diff --git a/x b/x\n"),
    )


def about(event: PrReceived) -> PullRequest:
    """What is reviewed."""
    return PullRequest.model_validate(event.model_dump(exclude={"source"}))


async def validate(event: PrReceived, context: Context) -> PrValidated | PrRejected:
    """Two changed files, one of which nobody looks at."""
    if event.title == "nothing":
        return PrRejected(pull_request=about(event), code="nothing_new", reason="nothing is new", stages=())
    before, after = context.blobs.put_text(BEFORE), context.blobs.put_text(AFTER)
    added = (LineRange(start=2, end=2),)
    files = (
        ChangedFile(path="shop/<b>.py", change=ChangeKind.MODIFIED, before=before, after=after, added=added,
                    additions=1),
        ChangedFile(path="logo.png", change=ChangeKind.ADDED, skipped="binary"),
    )  # fmt: skip
    return PrValidated(
        pull_request=about(event),
        config=ReviewConfig(),
        stages=(),
        files=tuple(ChangedFileSummary(path=one.path, change=one.change) for one in files),
        changes=context.blobs.put_document(ChangeSet(files=files)),
    )


async def analyse(event: PrValidated, context: Context) -> AstCompleted:
    """Nothing in particular."""
    return AstCompleted(
        pull_request=event.pull_request,
        config=event.config,
        changes=event.changes,
        analysis=context.blobs.put_document(Analysis(files=())),
        files=(),
    )


async def judge(event: AstCompleted, context: Context) -> LlmCompleted:
    """A finding at line 2, and one in a file that is not there."""
    if event.pull_request.title == "broken":
        raise TerminalError("no such model")
    if event.pull_request.title == "busy":
        raise RetryableError("429 too many requests", 12.0)
    fields = {"severity": Severity.HIGH, "category": "security", "confidence": 0.9, "rule_id": "py/eval"}
    at_line = Finding(path="shop/<b>.py", start_line=2, end_line=2, message="eval of input.", evidence="eval", **fields)
    elsewhere = Finding(path="gone.py", start_line=9, end_line=9, message="Where?", evidence="", **fields)
    return LlmCompleted(
        pull_request=event.pull_request,
        config=event.config,
        changes=event.changes,
        reviewer="offline-rules",
        verdict=Verdict.FINDINGS,
        findings=(at_line, elsewhere),
        coverage=(
            FileCoverage(path="shop/<b>.py", status=CoverageStatus.REVIEWED),
            FileCoverage(path="logo.png", status=CoverageStatus.SKIPPED, reason="binary"),
        ),
    )


async def comment(event: LlmCompleted, context: Context) -> CommentsCreated:
    """Says where it would be."""
    return CommentsCreated(
        pull_request=event.pull_request,
        verdict=event.verdict,
        sink="folder",
        marker="m",
        location="/reviews/1",
        inline_comments=1,
        summarised=1,
        files=("review.md",),
    )


async def withdraw(event: CommentsCreated, context: Context) -> None:
    """Takes it back."""


def reviews() -> SagaTest:
    """Services and tracker of code review, in memory; the services of the product are announced."""
    handlers: Mapping[str, Handler] = {"validate": validate, "ast": analyse, "llm": judge, "comment": comment}
    test = SagaTest(REVIEWS, handlers, {"comment": withdraw})
    announced(test.system.cluster)
    return test


def blobs() -> BlobStore:
    """What the handlers of `SagaTest` write to."""
    return BlobStore("memory://saga-testing")
