"""What came of a review: read from the saga's own events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from kafka_saga.api.sagas import SagaFacts
from kafka_saga.broker.port import Cluster
from kafka_saga.inspection.log.decoding import codec_for, history
from kafka_saga.inspection.present.facts import saga_facts
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from schemas.events.code_review import CommentsCreated, FileCoverage, Finding, LlmCompleted, PrRejected, Severity
from services.app.exits import Exit
from topology.code_review import CODE_REVIEW


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """A review's saga and the events that say what came of it."""

    state: SagaState
    review: LlmCompleted | None = None
    created: CommentsCreated | None = None
    rejected: PrRejected | None = None


class ReviewJson(msgspec.Struct, frozen=True):
    """A review for scripts: `findings` and `coverage` as in the event `llm.completed`."""

    saga_id: str
    already_reviewed: bool
    status: str
    exit_code: int
    verdict: str | None
    findings: tuple[dict[str, object], ...]
    findings_dropped: int
    coverage: tuple[dict[str, object], ...]
    rejected: dict[str, str] | None
    location: str | None
    files: tuple[str, ...]
    saga: SagaFacts


def outcome_of(cluster: Cluster, state: SagaState) -> ReviewOutcome:
    """Read what came of it."""
    outcome = ReviewOutcome(state)
    for one in history(cluster, state, codec_for((CODE_REVIEW,))):
        match one.event:
            case LlmCompleted() as review:
                outcome = ReviewOutcome(state, review, outcome.created, outcome.rejected)
            case CommentsCreated() as created:
                outcome = ReviewOutcome(state, outcome.review, created, outcome.rejected)
            case PrRejected() as rejected:
                outcome = ReviewOutcome(state, outcome.review, outcome.created, rejected)
    return outcome


def exit_code(outcome: ReviewOutcome, fail_on: Severity | None) -> Exit:
    """What `saga review` exits with; `fail_on`: the least severity that counts, none for never."""
    if outcome.state.status in {SagaStatus.FAILED, SagaStatus.CANCELLED}:
        return Exit.FAILED
    if not outcome.state.status.is_final:
        return Exit.TIMEOUT
    if outcome.rejected is not None:
        return Exit.REJECTED
    found = outcome.review.findings if outcome.review else ()
    return Exit.FINDINGS if has_at_least(found, fail_on) else Exit.OK


def has_at_least(found: Iterable[Finding], least: Severity | None) -> bool:
    """Whether a finding is of this severity or above."""
    order = list(Severity)
    return least is not None and any(order.index(one.severity) >= order.index(least) for one in found)


def review_json(outcome: ReviewOutcome, code: Exit, now: int, *, already: bool) -> ReviewJson:
    """A review for scripts."""
    review, created, rejected = outcome.review, outcome.created, outcome.rejected
    return ReviewJson(
        saga_id=outcome.state.saga_id,
        already_reviewed=already,
        status=outcome.state.status.value,
        exit_code=int(code),
        verdict=review.verdict.value if review else None,
        findings=_plain(review.findings if review else ()),
        findings_dropped=review.findings_dropped if review else 0,
        coverage=_plain(review.coverage if review else ()),
        rejected={"code": rejected.code, "reason": rejected.reason} if rejected else None,
        location=created.location if created else None,
        files=created.files if created else (),
        saga=saga_facts(outcome.state, now),
    )


def _plain(values: Iterable[Finding | FileCoverage]) -> tuple[dict[str, object], ...]:
    return tuple(value.model_dump(mode="json") for value in values)
