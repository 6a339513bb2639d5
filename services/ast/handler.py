"""The heavy step of code review: pr.validated -> ast.completed."""

from __future__ import annotations

from kafka_saga import BlobRef, BlobStore, Context
from schemas.documents.code_review import Analysis, ChangedFile, ChangeSet
from schemas.events.code_review import AstCompleted, PrValidated
from services.ast.files import FileReport, FileVersions
from services.ast.isolation import shared_parser


def analyse(event: PrValidated, context: Context) -> AstCompleted:
    """Parse every changed file before and after; the details go to the blob store, the figures into the event.

    No file fails the step. Raises TerminalError if the change set or a content it names is gone from the store,
    RetryableError if the store cannot be reached.
    """
    changes = context.blobs.get_document(event.changes, ChangeSet)
    reports = _reports(changes, context.blobs)
    analysis = context.blobs.put_document(Analysis(files=tuple(report.analysis for report in reports)))
    return AstCompleted(
        pull_request=event.pull_request,
        config=event.config,
        changes=event.changes,
        analysis=analysis,
        files=tuple(report.summary for report in reports),
    )


def _reports(changes: ChangeSet, blobs: BlobStore) -> list[FileReport]:
    parser = shared_parser()
    return [parser.analyse(_versions(file, blobs)) for file in changes.files]


def _versions(file: ChangedFile, blobs: BlobStore) -> FileVersions:
    return FileVersions(file=file, before=_content(blobs, file.before), after=_content(blobs, file.after))


def _content(blobs: BlobStore, ref: BlobRef | None) -> str | None:
    return None if ref is None else blobs.get_text(ref)
