"""A code review as people read it, from its saga's events and the blob store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_saga import BlobRef, BlobStore, Event, RetryableError, TerminalError
from schemas.documents.code_review import ChangedFile, ChangeSet
from schemas.events.code_review import (
    CommentsCreated,
    DiffSource,
    FileCoverage,
    Finding,
    LlmCompleted,
    PrReceived,
    PrRejected,
    PrValidated,
    PullRequest,
)
from schemas.review import Coverage, Review, ReviewFile, ReviewFinding
from services.app.patches import patch_of, shown_lines

MOST_PATCH = 512 * 1024
"""Characters of one file's diff that are shown."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the events of a review's saga say; of each kind the last."""

    received: PrReceived | None = None
    validated: PrValidated | None = None
    rejected: PrRejected | None = None
    reviewed: LlmCompleted | None = None
    created: CommentsCreated | None = None

    @property
    def pull_request(self) -> PullRequest | None:
        """What is reviewed."""
        later = self.validated or self.rejected or self.reviewed
        return later.pull_request if later is not None else self.received

    @property
    def changes(self) -> BlobRef | None:
        """Where the change set is."""
        known = self.reviewed or self.validated
        return known.changes if known is not None else None


def told_by(events: Iterable[Event]) -> Told:
    """What these events say, in the order of log time."""
    found = {type(event): event for event in events}

    def last(kind: type[Event]) -> Event | None:
        return found.get(kind)

    received, validated, rejected = last(PrReceived), last(PrValidated), last(PrRejected)
    reviewed, created = last(LlmCompleted), last(CommentsCreated)
    return Told(
        received if isinstance(received, PrReceived) else None,
        validated if isinstance(validated, PrValidated) else None,
        rejected if isinstance(rejected, PrRejected) else None,
        reviewed if isinstance(reviewed, LlmCompleted) else None,
        created if isinstance(created, CommentsCreated) else None,
    )


def review_of(events: Iterable[Event], blobs: BlobStore, behind_s: float = 0.0) -> Review:
    """The review, as far as it has come. Blobs that are gone are said, not raised."""
    told = told_by(events)
    about = told.pull_request
    if about is None:
        return Review(available=False, why_not="the saga has no event of a code review", behind_s=behind_s)
    try:
        files, outside = _files(told, blobs)
        why = _why_not(told)
    except (TerminalError, RetryableError) as error:
        files, outside, why = (), (), f"its content cannot be read: {error}"
    reviewed = told.reviewed
    found = reviewed.findings if reviewed else ()
    return Review(
        available=why is None,
        why_not=why,
        repository=about.repository,
        number=about.number,
        title=about.title,
        author=about.author,
        base=about.base_sha,
        head=about.head_sha,
        verdict=reviewed.verdict.value if reviewed else None,
        rejected=told.rejected.reason if told.rejected else None,
        location=told.created.location if told.created else None,
        files=files,
        findings=dict(Counter(one.severity.value for one in found)),
        findings_dropped=reviewed.findings_dropped if reviewed else 0,
        findings_outside=outside,
        coverage=_coverage(reviewed.coverage if reviewed else ()),
        behind_s=behind_s,
    )


def _why_not(told: Told) -> str | None:
    if told.rejected is not None:
        return f"there is nothing to review: {told.rejected.reason}"
    if told.changes is None:
        return "the change has not been read yet: the validator has not ended"
    return None


def _files(told: Told, blobs: BlobStore) -> tuple[tuple[ReviewFile, ...], tuple[ReviewFinding, ...]]:
    """The changed files with their findings, and the findings that belong to no line shown."""
    if told.changes is None:
        return (), ()
    changes = blobs.get_document(told.changes, ChangeSet)
    sent = told.received.source.text if told.received and isinstance(told.received.source, DiffSource) else None
    reviewed = told.reviewed
    covered = {one.path: one for one in reviewed.coverage} if reviewed else {}
    left = list(reviewed.findings) if reviewed else []
    files = []
    for changed in changes.files:
        patch = _patch(changed, blobs, sent)
        at_lines = [one for one in left if one.path == changed.path and _is_shown(one, patch)]
        left = [one for one in left if one not in at_lines]
        files.append(_file(changed, patch, covered, at_lines))
    return tuple(files), tuple(_finding(one, path=one.path) for one in left)


def _patch(changed: ChangedFile, blobs: BlobStore, sent: str | None) -> str | None:
    before = None if changed.before is None else blobs.get_text(changed.before)
    after = None if changed.after is None else blobs.get_text(changed.after)
    patch = patch_of(changed, before, after, sent)
    return patch if patch is None or len(patch) <= MOST_PATCH else None


def _is_shown(finding: Finding, patch: str | None) -> bool:
    return patch is not None and any(finding.start_line in lines for lines in shown_lines(patch))


def _file(
    changed: ChangedFile, patch: str | None, covered: Mapping[str, FileCoverage], found: Sequence[Finding]
) -> ReviewFile:
    coverage = covered.get(changed.path)
    too_large = "its diff is too large to be shown" if patch is None and not changed.skipped else None
    return ReviewFile(
        path=changed.path,
        old_path=changed.old_path,
        status=changed.change.value,
        language=changed.language,
        additions=changed.additions,
        deletions=changed.deletions,
        skipped=changed.skipped or too_large,
        coverage=coverage.status.value if coverage else None,
        coverage_reason=coverage.reason if coverage else None,
        patch=patch,
        findings=tuple(_finding(one) for one in sorted(found, key=lambda one: (one.start_line, one.end_line))),
    )


def _finding(one: Finding, path: str | None = None) -> ReviewFinding:
    return ReviewFinding(
        line=one.start_line,
        end_line=one.end_line if one.end_line != one.start_line else None,
        severity=one.severity.value,
        rule=one.rule_id,
        category=one.category,
        confidence=one.confidence,
        message=one.message,
        suggestion=one.suggestion,
        evidence=one.evidence,
        path=path,
    )


def _coverage(covered: Sequence[FileCoverage]) -> Coverage:
    counts = Counter(one.status.value for one in covered)
    return Coverage(files=len(covered), **counts)
