"""What is kept of a saga that has been through a lot: all that can still matter, and of the rest the latest. Pure.

Rulings do it, so the facts between two rulings stay a set (docs/architecture.md 7). What goes is on
`saga.lifecycle` and `<step>.work` for as long as events live.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from kafka_saga.tracker.core import pauses
from kafka_saga.tracker.core.compensations import pending_compensations
from kafka_saga.tracker.core.pauses import Interval, Wide
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import EventRef, Fired, Pause, ReportRef, SagaState, Sent, Unmatched

KEPT_SENT = 50
"""The last commands to steps that are kept a saga, with their reports; beside those on which something depends."""

KEPT_EVENTS = 100
"""Events of a saga above which outcomes that have been undone are forgotten: fewer than the fold keeps of others."""

KEPT_PAUSES = 20
"""The last pauses that are kept a saga as they were; earlier ones are put together."""

MAX_UNMATCHED = 20
"""How many records that changed nothing are kept a saga."""

TOGETHER = "earlier pauses, put together"


def pruned(state: SagaState, plan: SagaPlan, wide: Wide) -> SagaState:
    """The state without what nothing depends on any more, if there is much of it."""
    if not plan.is_known:
        return state
    if len(state.events) > KEPT_EVENTS and (state.undo is None or state.undo.ended_at is not None):
        state = _without_undone(state, plan)
    if max(len(state.sent), len(state.reports)) > 2 * KEPT_SENT:
        state = _with_last_deliveries(state)
    if len(state.fired) > KEPT_SENT:
        state = replace(state, fired=_still_fired(state))
    if len(state.waived) > KEPT_SENT:
        known = {event.id for event in state.events}
        state = replace(state, waived=tuple(one for one in state.waived if one in known))
    if len(state.pauses) > 2 * KEPT_PAUSES:
        state = replace(state, pauses=_together(state, wide))
    return state


def with_unmatched(known: tuple[Unmatched, ...], more: tuple[Unmatched, ...]) -> tuple[Unmatched, ...]:
    """The latest of these records that changed nothing, in the order of log time."""
    kept = sorted((*known, *more), key=lambda one: (one.at, one.topic, one.offset))
    return tuple(kept[-MAX_UNMATCHED:])


def _without_undone(state: SagaState, plan: SagaPlan) -> SagaState:
    """The state but the oldest outcomes of earlier epochs that have been undone, and all that is about those."""
    excess = len(state.events) - KEPT_EVENTS
    undone = [event for event in _undone(state, plan) if not _is_needed(event, state)][: (excess + 1) // 2]
    gone, commands = {event.id for event in undone}, {event.command for event in undone}
    kept = tuple(event for event in state.events if event.id not in gone and not _undoes(event, gone, plan))
    return replace(
        state,
        events=kept,
        forgotten=state.forgotten + len(state.events) - len(kept),
        sent=tuple(one for one in state.sent if one.about not in gone and one.id not in commands),
        reports=tuple(one for one in state.reports if one.cause not in gone),
    )


def _undone(state: SagaState, plan: SagaPlan) -> Iterable[EventRef]:
    """The outcomes of earlier epochs that have been undone, the oldest first."""
    for debt in reversed(pending_compensations(state, plan)):
        if debt.paid_at is not None and debt.outcome.epoch < state.floors.get(debt.step, 0):
            yield debt.outcome


def _is_needed(outcome: EventRef, state: SagaState) -> bool:
    """Whether an outcome tells that its delivery has ended, as nothing else does; or whether a step works on it."""
    if any(run.about == outcome.id and run.live for step in state.steps for run in step.runs):
        return True
    if not any(event.id == outcome.cause for event in state.events):
        return False
    mine = [one for one in state.sent if not one.undoes]
    if any(one.about == outcome.id and one.epoch == state.epoch for one in mine):
        return True
    last = next((one.id for one in reversed(mine) if (one.step, one.about) == (outcome.step, outcome.cause)), None)
    return outcome.command in {None, last}


def _undoes(event: EventRef, outcomes: set[str], plan: SagaPlan) -> bool:
    """Whether an event tells that one of these outcomes is undone."""
    step = plan.steps.get(event.step or "")
    return step is not None and event.type == step.compensated and event.cause in outcomes


def _with_last_deliveries(state: SagaState) -> SagaState:
    """The commands that count, the last of the others, and the reports about what is kept."""
    known = {event.id for event in state.events}
    counting = _counting(state)
    last = frozenset(one.id for one in state.sent[max(0, len(state.sent) - KEPT_SENT) :])
    sent = tuple(one for one in state.sent if one.about in known and (one.id in counting or one.id in last))
    return replace(state, sent=sent, reports=_reports(state, known, frozenset(one.id for one in sent)))


def _counting(state: SagaState) -> frozenset[str]:
    """The commands on which something depends.

    Of each run, or outcome to undo, these are the last one, the first of its epoch, the last that counts attempts
    afresh, and any that has not ended.
    """
    ended = {report.command for report in state.reports} | {event.command for event in state.events}
    found = {one.id for one in state.sent if one.id not in ended}
    for group in _groups(state.sent):
        last = group[-1]
        found |= {last.id, next(one.id for one in group if one.epoch == last.epoch)}
        found |= {one.id for one in [one for one in group if one.fresh][-1:]}
    return frozenset(found)


def _groups(sent: Iterable[Sent]) -> Iterable[list[Sent]]:
    found: dict[tuple[str, str, bool], list[Sent]] = {}
    for one in sent:
        found.setdefault((one.step, one.about, one.undoes), []).append(one)
    return found.values()


def _reports(state: SagaState, known: set[str], sent: frozenset[str]) -> tuple[ReportRef, ...]:
    """The first report about each delivery that is kept: the trigger's, and those of commands."""
    found: dict[tuple[str, str, str | None], ReportRef] = {}
    for one in state.reports:
        if one.cause in known and (one.command is None or one.command in sent):
            found.setdefault((one.step, one.cause, one.command), one)
    return tuple(one for one in state.reports if found.get((one.step, one.cause, one.command)) is one)


def _still_fired(state: SagaState) -> tuple[Fired, ...]:
    """The deadlines of runs that are as they were, and the saga's."""
    runs = {(run.about, run.epoch) for step in state.steps for run in step.runs}
    return tuple(one for one in state.fired if not one.about or (one.about, one.epoch) in runs)


def _together(state: SagaState, wide: Wide) -> tuple[Pause, ...]:
    """The last pauses as they were, and before them as few as stop every clock for as long."""
    over = sorted((one for one in state.pauses if one.until is not None), key=lambda one: one.at)
    place = max(0, len(over) - KEPT_PAUSES)
    older, last = over[:place], over[place:]
    rest = [*last, *(one for one in state.pauses if one.until is None)]
    marks = sorted({*_marks(state, wide), *(one.at for one in rest)})
    spans = _joined(pauses.merged((one.at, one.until) for one in older), marks)
    return (*(Pause("saga", "several", TOGETHER, begin, end) for begin, end in spans), *rest)


def _marks(state: SagaState, wide: Wide) -> Iterable[int]:
    """The times from which a clock may be counted, and at which a wider pause begins or ends."""
    for step in state.steps:
        for run in step.runs:
            yield run.at
            yield run.ended_at if run.ended_at is not None else run.at
    undoing = {one.id for one in state.sent if one.undoes}
    yield from (event.at for event in state.events)
    yield from (report.at for report in state.reports if report.command in undoing)
    if state.undo is not None:
        yield state.undo.at
    for entry in (wide.definition, *(entry for _, entry in wide.steps)):
        if entry is not None:
            yield from (time for interval in entry.frozen for time in interval)
            yield from (entry.paused.at,) if entry.paused else ()


def _joined(spans: Iterable[Interval], marks: Sequence[int]) -> list[Interval]:
    """Intervals, each moved up to the next one if nothing lies in between from which the difference could be told."""
    found: list[Interval] = []
    for begin, end in spans:
        is_joined = bool(found) and end is not None and not _any_between(marks, found[-1][0], end)
        first, last = found.pop() if is_joined else (begin, begin)
        found.append((begin - ((last or first) - first), end))
    return found


def _any_between(marks: Sequence[int], after: int, until: int) -> bool:
    """Whether one of the marks lies after one time and not after another."""
    place = bisect_right(marks, after)
    return place < len(marks) and marks[place] <= until
