"""Change sets to review: small files with all or some of their lines added."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from schemas.documents.code_review import Analysis, ChangedFile, ChangeSet, FileAnalysis, LineRange
from schemas.events.code_review import (
    AstCompleted,
    ChangeKind,
    FileAnalysisSummary,
    Finding,
    LlmCompleted,
    PullRequest,
    ReviewConfig,
    Severity,
)
from services.llm.handler import review
from services.llm.offline import OfflineRules
from services.llm.reviewer import FileToReview, Opinion, ReviewRequest

PULL_REQUEST = PullRequest(repository="acme/shop", number=7, title="Add a cart", base_sha="a" * 40, head_sha="b" * 40)


def finding(path: str = "a.py", line: int = 1, end: int | None = None, rule: str = "r/one", **more: object) -> Finding:
    """A finding with sensible rest."""
    fields: dict[str, object] = {
        "path": path, "start_line": line, "end_line": end or line, "severity": Severity.MEDIUM,
        "category": "correctness", "confidence": 0.5, "message": "Something.", "rule_id": rule, "evidence": "x = 1",
    }  # fmt: skip
    return Finding.model_validate(fields | more)


def changed(
    path: str, language: str | None = None, added: tuple[tuple[int, int], ...] = ((1, 1),), **more: object
) -> ChangedFile:
    """A changed file with these added lines."""
    ranges = tuple(LineRange(start=start, end=end) for start, end in added)
    fields: dict[str, object] = {"path": path, "change": ChangeKind.MODIFIED, "language": language, "added": ranges}
    return ChangedFile.model_validate(fields | more)


def whole(path: str, text: str, language: str | None = None, **more: object) -> FileToReview:
    """A file that is new as a whole."""
    analysis = more.pop("analysis", None)
    assert analysis is None or isinstance(analysis, FileAnalysis)
    file = changed(path, language, ((1, max(text.count("\n"), 1)),), change=ChangeKind.ADDED)
    return FileToReview(file.model_copy(update=more), text, analysis)


def opinion(*files: FileToReview, config: ReviewConfig | None = None) -> Opinion:
    """What the offline rules say about `files`, as the reviewer gives it."""
    request = ReviewRequest(PULL_REQUEST, config or ReviewConfig(), files)
    return asyncio.run(OfflineRules().review(request))


def rules_found(*files: FileToReview) -> list[str]:
    """The ids of the rules that match, in order."""
    return [found.rule_id for found in opinion(*files).findings]


def event_and_context(
    folder: Path, *files: FileToReview, config: ReviewConfig | None = None
) -> tuple[AstCompleted, Context]:
    """The event that asks for a review of `files`, and the context with a blob store that holds them."""
    blobs = BlobStore(str(folder / "blobs"))
    stored = [f.changed.model_copy(update={"after": None if f.text is None else blobs.put_text(f.text)}) for f in files]
    analyses = tuple(file.analysis for file in files if file.analysis is not None)
    event = AstCompleted(
        pull_request=PULL_REQUEST,
        config=config or ReviewConfig(),
        changes=blobs.put_document(ChangeSet(files=tuple(stored))),
        analysis=blobs.put_document(Analysis(files=analyses)),
        files=tuple(FileAnalysisSummary(path=a.path, status=a.status) for a in analyses),
    )
    return event, Context("acme/shop#7@b", "acme/shop#7", "llm", 1, 0, blobs)


def reviewed(folder: Path, *files: FileToReview, config: ReviewConfig | None = None) -> LlmCompleted:
    """The outcome of the step for `files`."""
    return asyncio.run(review(*event_and_context(folder, *files, config=config)))
