"""The step llm: ast.completed -> llm.completed."""

from __future__ import annotations

import asyncio

from kafka_saga import BlobStore, Context
from schemas.documents.code_review import Analysis, ChangedFile, ChangeSet, FileAnalysis
from schemas.events.code_review import AstCompleted, LlmCompleted
from services.llm.judgement import bounded, coverage, kept, verdict
from services.llm.offline import OfflineRules
from services.llm.reviewer import FileToReview, Opinion, Reviewer, ReviewRequest


async def review(event: AstCompleted, context: Context) -> LlmCompleted:
    """Review the change set with the offline rules.

    Raises TerminalError if a document is gone or a rule engine is not installed, RetryableError if the blob store
    cannot be reached or a rule engine takes too long.
    """
    return await review_with(OfflineRules(), event, context)


async def review_with(reviewer: Reviewer, event: AstCompleted, context: Context) -> LlmCompleted:
    """Let `reviewer` look at the change set, and keep of what it says what a review may say."""
    changes, files = await asyncio.to_thread(_load, event, context.blobs)
    opinion = await reviewer.review(ReviewRequest(event.pull_request, event.config, files))
    return conclude(event, changes, reviewer.name, opinion)


def conclude(event: AstCompleted, changes: ChangeSet, reviewer: str, opinion: Opinion) -> LlmCompleted:
    """The outcome: what of `opinion` is on added lines and wanted, bounded, with coverage of every file."""
    findings, dropped = bounded(kept(opinion.findings, changes, event.config))
    covered = coverage(changes, opinion.coverage)
    return LlmCompleted(
        pull_request=event.pull_request,
        config=event.config,
        changes=event.changes,
        reviewer=reviewer,
        verdict=verdict(findings, changes, covered),
        findings=tuple(findings),
        findings_dropped=dropped,
        coverage=covered,
    )


def _load(event: AstCompleted, blobs: BlobStore) -> tuple[ChangeSet, tuple[FileToReview, ...]]:
    changes = blobs.get_document(event.changes, ChangeSet)
    analyses = {file.path: file for file in blobs.get_document(event.analysis, Analysis).files}
    return changes, tuple(_to_review(file, analyses.get(file.path), blobs) for file in changes.files)


def _to_review(changed: ChangedFile, analysis: FileAnalysis | None, blobs: BlobStore) -> FileToReview:
    text = None if changed.after is None or changed.skipped else blobs.get_text(changed.after)
    return FileToReview(changed, text, analysis)
