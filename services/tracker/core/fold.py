"""The fold: one fact into the view of its saga. The same facts, in any order that keeps each topic's own, give the
same state.

That holds because the state is a set of facts and a function of them: an event or report whose cause is unknown is
held, what is known fills its own slot, and every status is derived from the slots, never from the order of arrival.
"""

from __future__ import annotations

from msgspec.structs import replace

from services.tracker.core.decisions import Cancelled, Completed, Decision, Failed, Started
from services.tracker.core.derive import derived
from services.tracker.core.facts import EventFact, Fact, ReportFact
from services.tracker.core.state import EventRef, ReportRef, SagaState, SagaStatus, StepState, Unmatched
from topology.model import Saga
from topology.topics import SAGA_STEPS

MAX_EVENTS = 200
"""How many events of one saga are kept by reference; of a saga that loops on, the oldest are forgotten and counted."""

MAX_UNMATCHED = 20
"""How many records that changed nothing are kept a saga."""


def fold(state: SagaState | None, fact: Fact, definition: Saga) -> tuple[SagaState, tuple[Decision, ...]]:
    """The saga's view with one more fact in it, and what follows from that."""
    before = state or _unseen(fact, definition)
    noted = replace(before, revision=before.revision + 1, updated_at=max(before.updated_at, fact.at))
    match fact:
        case EventFact():
            after = _fold_event(noted, fact, definition)
        case ReportFact():
            after = _fold_report(noted, fact)
    if after.events is noted.events and after.reports is noted.reports:
        return after, ()
    settled = derived(after, definition)
    return settled, _decisions(before, settled)


def _unseen(fact: Fact, definition: Saga) -> SagaState:
    envelope = fact.envelope
    return SagaState(
        saga_id=envelope.subject,
        definition=definition.name,
        version=envelope.version,
        partition=fact.partition,
        hash=definition.content_hash if envelope.version == definition.version else "",
        steps=tuple(StepState(step.name) for step in definition.steps),
    )


def _fold_event(state: SagaState, fact: EventFact, definition: Saga) -> SagaState:
    envelope = fact.envelope
    ref = EventRef(
        envelope.id, envelope.type, fact.offset, fact.at, 0, envelope.causation_id, envelope.step, envelope.attempt,
        envelope.epoch,
    )  # fmt: skip
    if why := _why_unmatched(state, ref, definition):
        return _with_unmatched(state, Unmatched(ref.type, ref.type, ref.offset, ref.at, why))
    if ref.cause is None:
        begun = replace(state, traceparent=envelope.traceparent)
        return _released(_with_event(begun, ref))
    if _knows(state, ref.cause):
        return _released(_with_event(state, ref))
    return replace(state, held_events=_sorted_events((*state.held_events, ref)))


def _fold_report(state: SagaState, fact: ReportFact) -> SagaState:
    envelope = fact.envelope
    if envelope.causation_id is None or envelope.step is None:
        why = "a report that names no delivery"
        return _with_unmatched(state, Unmatched(envelope.type, SAGA_STEPS, fact.offset, fact.at, why))
    if envelope.type == "step.skipped":
        return _with_unmatched(state, Unmatched(envelope.type, SAGA_STEPS, fact.offset, fact.at, fact.reason))
    ref = ReportRef(
        envelope.id, envelope.step, envelope.causation_id, envelope.type, fact.reason, fact.offset, fact.at,
        envelope.attempt, envelope.epoch, fact.retryable,
    )  # fmt: skip
    if any(ref.id == known.id for known in (*state.reports, *state.held_reports)):
        return _with_unmatched(state, Unmatched(envelope.type, SAGA_STEPS, fact.offset, fact.at, "reported before"))
    if _knows(state, ref.cause):
        return replace(state, reports=_sorted_reports((*state.reports, ref)))
    return replace(state, held_reports=_sorted_reports((*state.held_reports, ref)))


def _why_unmatched(state: SagaState, ref: EventRef, definition: Saga) -> str | None:
    """Why an event has no place in its saga, if so."""
    if _knows(state, ref.id) or any(ref.id == held.id for held in state.held_events):
        return "the same event again"
    if ref.cause is None:
        return None if ref.type == definition.starts_on.event_type else "it names no cause, and does not start the saga"
    step = definition.steps_by_name.get(ref.step or "")
    if step is None:
        return f"{definition.name} has no step {ref.step!r}"
    if ref.type not in {event.event_type for event in (*step.emits, *step.also)}:
        return f"step {step.name} does not declare {ref.type}"
    return None


def _released(state: SagaState) -> SagaState:
    """Take in what was held for want of its cause, and what waited for that in turn."""
    while True:
        ready = next((ref for ref in state.held_events if _knows(state, ref.cause)), None)
        if ready is None:
            break
        state = replace(_with_event(state, ready), held_events=_without(state.held_events, ready))
    known = tuple(ref for ref in state.held_reports if _knows(state, ref.cause))
    if not known:
        return state
    held = tuple(ref for ref in state.held_reports if ref not in known)
    return replace(state, reports=_sorted_reports((*state.reports, *known)), held_reports=held)


def _with_event(state: SagaState, ref: EventRef) -> SagaState:
    events = _sorted_events((*state.events, _after_its_cause(ref, state.events)))
    excess = max(0, len(events) - MAX_EVENTS)
    return replace(state, events=events[excess:], forgotten=state.forgotten + excess)


def _with_unmatched(state: SagaState, record: Unmatched) -> SagaState:
    kept = sorted((*state.unmatched, record), key=lambda one: (one.at, one.topic, one.offset))
    return replace(state, unmatched=tuple(kept[-MAX_UNMATCHED:]))


def _knows(state: SagaState, event_id: str | None) -> bool:
    return any(event.id == event_id for event in state.events)


def _sorted_events(events: tuple[EventRef, ...]) -> tuple[EventRef, ...]:
    """In the order of log time; ties in an order of their own, which is the same everywhere."""
    if len(events) > 1 and _time_of(events[-2]) > _time_of(events[-1]):
        return tuple(sorted(events, key=_time_of))
    return events


def _sorted_reports(reports: tuple[ReportRef, ...]) -> tuple[ReportRef, ...]:
    return tuple(sorted(reports, key=lambda report: (report.at, report.offset, report.id)))


def _after_its_cause(ref: EventRef, events: tuple[EventRef, ...]) -> EventRef:
    cause = next((event for event in events if event.id == ref.cause), None)
    return ref if cause is None else replace(ref, at=max(ref.at, cause.at), depth=cause.depth + 1)


def _time_of(event: EventRef) -> tuple[int, int, str, int]:
    return (event.at, event.depth, event.type, event.offset)


def _without(events: tuple[EventRef, ...], one: EventRef) -> tuple[EventRef, ...]:
    return tuple(event for event in events if event is not one)


def _decisions(before: SagaState, after: SagaState) -> tuple[Decision, ...]:
    decided: list[Decision] = []
    if before.started_at is None and after.started_at is not None:
        decided.append(Started(after.started_at))
    if after.status is not before.status and after.ended_at is not None:
        decided.append(_ending(after, after.ended_at))
    return tuple(decided)


def _ending(state: SagaState, at: int) -> Decision:
    match state.status:
        case SagaStatus.COMPLETED:
            return Completed(at, state.end or "")
        case SagaStatus.CANCELLED:
            return Cancelled(at, state.end or "")
        case _:
            failed = next((step.name for step in state.steps if step.error), None)
            return Failed(at, state.error or "", failed, state.end)
