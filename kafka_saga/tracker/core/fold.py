"""The fold: one fact into the view of its saga. The same facts, in any order that keeps each topic's own, give the
same state.

That holds because the state is a set of facts and a function of them: an event or report whose cause is unknown is
held, what is known fills its own slot, and every status is derived from the slots, never from the order of arrival.
"""

from __future__ import annotations

from itertools import islice

from msgspec.structs import replace

from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_STEPS
from kafka_saga.events.commands import SAME_AGAIN, other_command
from kafka_saga.tracker.core.changes import changes, late
from kafka_saga.tracker.core.decisions import Decision, Refused
from kafka_saga.tracker.core.derive import derived
from kafka_saga.tracker.core.facts import CommandFact, EventFact, Fact, ProgressFact, ReportFact, SupersederFact, Told
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.pruning import with_unmatched
from kafka_saga.tracker.core.runs import DUPLICATE, SKIPPED
from kafka_saga.tracker.core.state import (
    EventRef,
    PendingCommand,
    Progress,
    ReportRef,
    SagaState,
    Superseder,
    Unmatched,
)
from kafka_saga.wire.envelope import Envelope

Touched = frozenset[str]
"""Names of the steps that a fact concerns."""

NONE: Touched = frozenset()

MAX_EVENTS = 200
"""How many events of one saga are kept by reference; of a saga that loops on, the oldest are forgotten and counted."""

MAX_PROGRESS = 20
"""How many deliveries' progress is kept a saga."""


def fold(state: SagaState | None, fact: Fact, plan: SagaPlan) -> tuple[SagaState, tuple[Decision, ...]]:
    """The saga's view with one more fact in it, and what follows from that."""
    before = _claimed(state or _unseen(fact, plan), fact, plan)
    noted = _noted(before, fact)
    said: tuple[Decision, ...] = ()
    match fact:
        case EventFact():
            after, touched = _fold_event(noted, fact, plan)
            if touched and (before.floors or before.undo):
                said = tuple(late(before, after, plan))
        case ReportFact():
            after, touched = _fold_report(noted, fact, plan)
        case ProgressFact():
            after, touched = _fold_progress(noted, fact, plan)
        case CommandFact():
            return _fold_command(noted, fact)
        case SupersederFact():
            return _fold_rival(before, fact), ()
    if not touched:
        return after, ()
    settled = derived(after, plan, touched)
    return settled, (*said, *changes(before, settled, plan))


def _unseen(fact: Fact, plan: SagaPlan) -> SagaState:
    match fact:
        case EventFact() | ReportFact() | ProgressFact():
            return _of_definition(SagaState(fact.envelope.subject, "", 0, fact.partition), fact, plan)
        case CommandFact() | SupersederFact():
            return SagaState(fact.saga_id, "", 0, fact.partition)


def _claimed(state: SagaState, fact: Fact, plan: SagaPlan) -> SagaState:
    """A saga of which only a command was known, now that it is heard of."""
    if state.definition or isinstance(fact, CommandFact | SupersederFact):
        return state
    return _of_definition(state, fact, plan)


def _of_definition(state: SagaState, fact: Told, plan: SagaPlan) -> SagaState:
    definition, version = plan.definition, fact.envelope.version
    return replace(
        state,
        definition=definition.name,
        version=version,
        hash=definition.content_hash if version == definition.version else "",
        steps=tuple(step.waiting for step in plan.steps.values()),
    )


def _noted(state: SagaState, fact: Fact) -> SagaState:
    return replace(state, revision=state.revision + 1, updated_at=max(state.updated_at, fact.at))


def _fold_event(state: SagaState, fact: EventFact, plan: SagaPlan) -> tuple[SagaState, Touched]:
    envelope = fact.envelope
    # What a trigger led to is its first attempt; the header of an event that began elsewhere may say otherwise.
    attempt = envelope.attempt if fact.command else 1
    ref = EventRef(
        envelope.id, envelope.type, fact.offset, fact.at, 0, envelope.causation_id, envelope.step, attempt,
        envelope.epoch, fact.command,
    )  # fmt: skip
    if why := _why_strange(state, envelope) or _why_unmatched(state, ref, plan):
        return _with_unmatched(state, Unmatched(ref.type, ref.type, ref.offset, ref.at, why)), NONE
    if ref.cause is None:
        return _taken_in(replace(state, traceparent=envelope.traceparent), ref, None, plan)
    cause = _find(state.events, ref.cause)
    if cause is None:
        return replace(state, held_events=_sorted_events((*state.held_events, ref))), NONE
    return _taken_in(state, ref, cause, plan)


def _fold_report(state: SagaState, fact: ReportFact, plan: SagaPlan) -> tuple[SagaState, Touched]:
    envelope = fact.envelope
    if why := _why_strange(state, envelope) or _why_no_report(fact, plan):
        return _with_unmatched(state, Unmatched(envelope.type, SAGA_STEPS, fact.offset, fact.at, why)), NONE
    ref = ReportRef(
        envelope.id, envelope.step or "", envelope.causation_id or "", envelope.type, fact.reason, fact.offset,
        fact.at, envelope.attempt if fact.command else 1, envelope.epoch, fact.retryable, fact.retry_after, fact.code,
        fact.command,
    )  # fmt: skip
    if any(ref.id == known.id for known in (*state.reports, *state.held_reports)):
        why = "reported before"
        return _with_unmatched(state, Unmatched(envelope.type, SAGA_STEPS, fact.offset, fact.at, why)), NONE
    if _find(state.events, ref.cause) is None:
        return replace(state, held_reports=_sorted_reports((*state.held_reports, ref))), NONE
    return replace(state, reports=_sorted_reports((*state.reports, ref))), frozenset((ref.step,))


def _fold_progress(state: SagaState, fact: ProgressFact, plan: SagaPlan) -> tuple[SagaState, Touched]:
    """Of each delivery the last that it has told; of a step the last two deliveries."""
    step, cause = fact.envelope.step or "", fact.envelope.causation_id or ""
    if step not in plan.steps:
        return state, NONE
    told = Progress(
        step, cause, fact.command, fact.at, fact.offset, fact.started_at, fact.done, fact.total, fact.note
    )  # fmt: skip
    others = [one for one in state.progress if (one.step, one.cause, one.command) != (step, cause, fact.command)]
    known = [one for one in state.progress if (one.step, one.cause, one.command) == (step, cause, fact.command)]
    latest = max((*known, told), key=lambda one: one.offset)
    kept = sorted((*others, latest), key=lambda one: one.offset)
    return replace(state, progress=tuple(kept[-MAX_PROGRESS:])), frozenset((step,))


def _fold_command(state: SagaState, fact: CommandFact) -> tuple[SagaState, tuple[Decision, ...]]:
    """A command waits for its ruling; one that came before changes nothing, another under its id is refused."""
    command = fact.command
    known = state.answered.get(fact.id) or next((one.fingerprint for one in state.asked if one.id == fact.id), None)
    if known is not None:
        if known != command.fingerprint:
            why, kind = other_command(fact.id), command.command.value
            return state, (Refused(fact.at, fact.id, kind, command.author, command.reason, why),)
        again = Unmatched(command.command, SAGA_COMMANDS, fact.offset, fact.at, SAME_AGAIN)
        return _with_unmatched(state, again), ()
    asked = PendingCommand(
        fact.id, command.command.value, command.author, fact.at, fact.offset, command.reason, command.step,
        command.outcome, command.content,
    )  # fmt: skip
    return replace(state, asked=tuple(sorted((*state.asked, asked), key=lambda one: (one.at, one.offset)))), ()


def _fold_rival(state: SagaState, fact: SupersederFact) -> SagaState:
    rival = Superseder(fact.rival, fact.at, fact.offset)
    if state.rival is not None and state.rival.offset >= rival.offset:
        return state
    return replace(state, rival=rival)


def _why_strange(state: SagaState, envelope: Envelope) -> str | None:
    """Why a record is about another saga that has this one's id, if so: ids are to differ between definitions."""
    if envelope.definition == state.definition:
        return None
    return f"it belongs to a saga of {envelope.definition}, but its id is that of a saga of {state.definition}"


def _why_unmatched(state: SagaState, ref: EventRef, plan: SagaPlan) -> str | None:
    """Why an event has no place in its saga, if so."""
    if _find(state.events, ref.id) is not None or _find(state.held_events, ref.id) is not None:
        return "the same event again"
    if not plan.is_known:
        return None
    if ref.cause is None:
        return None if ref.type == plan.start else "it names no cause, and does not start the saga"
    step = plan.steps.get(ref.step or "")
    if step is None:
        return f"{plan.definition.name} has no step {ref.step!r}"
    return None if ref.type in step.declared else f"step {step.name} does not declare {ref.type}"


def _why_no_report(fact: ReportFact, plan: SagaPlan) -> str | None:
    """Why a report says nothing about how a step stands, if so."""
    envelope = fact.envelope
    if envelope.causation_id is None or envelope.step not in plan.steps:
        return "a report that names no delivery"
    return fact.reason if envelope.type == SKIPPED and fact.code in {DUPLICATE, ""} else None


def _taken_in(state: SagaState, ref: EventRef, cause: EventRef | None, plan: SagaPlan) -> tuple[SagaState, Touched]:
    """The state with an event whose cause is known, and with whatever was held for want of it."""
    after = _with_event(state, ref, cause, plan)
    touched = _touched_by(ref, plan)
    if after.forgotten != state.forgotten:
        touched = frozenset(plan.steps)
    if not (after.held_events or after.held_reports):
        return after, touched
    return _released(after, touched, plan)


def _released(state: SagaState, touched: Touched, plan: SagaPlan) -> tuple[SagaState, Touched]:
    """Take in what was held for want of its cause, and what waited for that in turn."""
    for ref in state.held_events:
        cause = _find(state.events, ref.cause)
        if cause is not None:
            after = replace(state, held_events=_without(state.held_events, ref))
            taken, more = _taken_in(after, ref, cause, plan)
            return taken, touched | more
    known = tuple(ref for ref in state.held_reports if _find(state.events, ref.cause) is not None)
    if not known:
        return state, touched
    held = tuple(ref for ref in state.held_reports if ref not in known)
    after = replace(state, reports=_sorted_reports((*state.reports, *known)), held_reports=held)
    return after, touched | {ref.step for ref in known}


def _touched_by(ref: EventRef, plan: SagaPlan) -> Touched:
    """The steps that an event concerns: the one it ends, and those it triggers."""
    return frozenset((*plan.triggered.get(ref.type, ()), ref.step or ""))


def _with_event(state: SagaState, ref: EventRef, cause: EventRef | None, plan: SagaPlan) -> SagaState:
    if cause is not None:
        ref = replace(ref, at=max(ref.at, cause.at), depth=cause.depth + 1)
    events = _sorted_events((*state.events, ref))
    excess = len(events) - MAX_EVENTS
    if excess <= 0:
        return replace(state, events=events)
    kept = _without_oldest(events, excess, plan, _to_run_again(state))
    return replace(state, events=kept, forgotten=state.forgotten + len(events) - len(kept))


def _to_run_again(state: SagaState) -> str | None:
    """The event with which a step runs again once its saga has been brought back."""
    return state.undo.redo.about if state.undo is not None and state.undo.redo is not None else None


def _without_oldest(
    events: tuple[EventRef, ...], excess: int, plan: SagaPlan, needed: str | None
) -> tuple[EventRef, ...]:
    """The events but the oldest; the one that is needed stays, and what may have to be undone or has been."""
    undoable = {
        kind for step in plan.steps.values() if step.compensated is not None
        for kind in (*step.outcomes, step.compensated)
    }  # fmt: skip
    free = (place for place, event in enumerate(events) if event.type not in undoable and event.id != needed)
    places = list(islice(free, excess))
    if not places:
        return events
    last, gone = places[-1], frozenset(places)
    older = (replace(event, spent=True) for place, event in enumerate(events[: last + 1]) if place not in gone)
    return (*older, *events[last + 1 :])


def _with_unmatched(state: SagaState, record: Unmatched) -> SagaState:
    return replace(state, unmatched=with_unmatched(state.unmatched, (record,)))


def _find(events: tuple[EventRef, ...], event_id: str | None) -> EventRef | None:
    for event in events:
        if event.id == event_id:
            return event
    return None


def _sorted_events(events: tuple[EventRef, ...]) -> tuple[EventRef, ...]:
    """In the order of log time; ties in an order of their own, which is the same everywhere."""
    if len(events) > 1 and _time_of(events[-2]) > _time_of(events[-1]):
        return tuple(sorted(events, key=_time_of))
    return events


def _sorted_reports(reports: tuple[ReportRef, ...]) -> tuple[ReportRef, ...]:
    return tuple(sorted(reports, key=lambda report: (report.at, report.offset, report.id)))


def _time_of(event: EventRef) -> tuple[int, int, str, int]:
    return (event.at, event.depth, event.type, event.offset)


def _without(events: tuple[EventRef, ...], one: EventRef) -> tuple[EventRef, ...]:
    return tuple(event for event in events if event is not one)
