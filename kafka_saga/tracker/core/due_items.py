"""What is to happen with a saga, and when, if nothing else is heard of it. A function of the state.

An item is taken up once everything of log time up to its own has been read: so it is a ruling, whatever it decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from kafka_saga.definition.model import COMPLETED, OnFailure
from kafka_saga.tracker.core import pauses
from kafka_saga.tracker.core.compensations import PendingCompensation, pending_compensations
from kafka_saga.tracker.core.derive import end_of, is_live, is_paused
from kafka_saga.tracker.core.fast_path import is_plain, plain_due
from kafka_saga.tracker.core.incidents import has_undoable, incidents
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.plan import SagaPlan, milliseconds
from kafka_saga.tracker.core.runs import StepRun, step_runs, trigger_of
from kafka_saga.tracker.core.state import Goal, Run, SagaState, SagaStatus, StepStatus

UNKNOWN_FOR = 10 * 60 * 1000
"""Milliseconds that a saga of an unknown version is held: as long as a rolling deploy takes."""


class DueKind(IntEnum):
    """Kinds of items; of those with the same time, the lower goes first."""

    PAUSE = 1
    RESUME = 2
    OBEY = 3
    YIELD = 4
    SETTLE = 5
    FINISH = 6
    END = 7
    DEADLINE = 8
    SAGA_DEADLINE = 9
    GIVE_UP = 10
    EXECUTE = 11
    COMPENSATE = 12
    RAISE = 13
    SOLVE = 14
    UNMATCH = 15
    FORGET = 16


class DueItem(NamedTuple):
    """Something to do at a time (milliseconds UTC, log time); `about` says of what: a step, an id."""

    at: int
    what: DueKind
    about: str = ""
    run: Run | None = None
    debt: PendingCompensation | None = None


def next_due(state: SagaState, plan: SagaPlan, wide: Wide) -> int | None:
    """When the next item is due; none if nothing will happen by itself."""
    if plan.is_known and wide is pauses.NOTHING_WIDE and is_plain(state):
        return plain_due(state, plan)
    return min((item.at for item in due_items(state, plan, wide)), default=None)


def due_items(state: SagaState, plan: SagaPlan, wide: Wide) -> Iterator[DueItem]:
    """Everything that is to happen, in no order."""
    if not plan.is_known:
        yield from _of_unknown_version(state)
        yield from _commands(state)
        return
    yield from _pauses(state, wide)
    yield from _commands(state)
    yield from _held(state)
    current = step_runs(state, plan)
    yield from _incidents(state, plan, current)
    if state.status.is_final:
        yield from _after_the_end(state, plan, wide)
    elif state.status is SagaStatus.UNKNOWN:
        yield from _unknown(state, plan)
    elif state.undo is not None:
        yield from _undoing(state, plan, wide)
    else:
        yield from _forward(state, plan, wide, current)


def _pauses(state: SagaState, wide: Wide) -> Iterator[DueItem]:
    """Pauses of a prefix that the saga has not taken note of, or that are over."""
    known = {pause.scope: pause for pause in state.pauses if pause.until is None}
    for scope, entry in wide.prefixes:
        if entry.paused is not None and scope not in known and not state.status.is_final:
            yield DueItem(entry.paused.at, DueKind.PAUSE, scope)
    held = {scope for scope, entry in wide.prefixes if entry.paused is not None}
    for scope, pause in known.items():
        if scope != "saga" and scope not in held:
            yield DueItem(_end_of(pause.at, scope, wide), DueKind.RESUME, scope)


def _end_of(begun: int, scope: str, wide: Wide) -> int:
    entries = [entry for name, entry in wide.prefixes if name == scope]
    return next((end for entry in entries for begin, end in entry.frozen if begin <= begun <= end), begun)


def _commands(state: SagaState) -> Iterator[DueItem]:
    for asked in state.asked:
        yield DueItem(asked.at, DueKind.OBEY, asked.id)
    if state.rival is not None and not state.status.is_final and is_outrun(state) and not _is_ending(state):
        yield DueItem(state.rival.at, DueKind.YIELD, state.rival.saga_id)


def is_outrun(state: SagaState) -> bool:
    """Whether a saga of the key has started after this one, while this one ran."""
    if state.rival is None or state.started_at is None:
        return False
    return bool(state.forgotten) or state.rival.offset > state.events[0].offset


def _is_ending(state: SagaState) -> bool:
    return state.undo is not None and state.undo.goal is not Goal.REDO


def _held(state: SagaState) -> Iterator[DueItem]:
    """A cause lies before its effect: if it has not come when everything until then is read, it never will."""
    for event in state.held_events:
        yield DueItem(event.at, DueKind.UNMATCH, event.id)
    for report in state.held_reports:
        yield DueItem(report.at, DueKind.UNMATCH, report.id)


def _incidents(state: SagaState, plan: SagaPlan, current: Sequence[StepRun]) -> Iterator[DueItem]:
    wanted = incidents(state, plan, current)
    known = {incident.id for incident in state.incidents}
    for incident in wanted:
        if incident.id not in known:
            yield DueItem(incident.at, DueKind.RAISE, incident.id)
    for gone in known - {incident.id for incident in wanted}:
        yield DueItem(state.updated_at, DueKind.SOLVE, gone)


def _forward(state: SagaState, plan: SagaPlan, wide: Wide, current: Sequence[StepRun]) -> Iterator[DueItem]:
    """A saga that goes on."""
    definition = plan.definition
    compensates = definition.on_failure is OnFailure.COMPENSATE
    whole = pauses.of_saga(state, wide)
    if plan.deadline is not None and not any(not fired.about for fired in state.fired):
        due = pauses.due_at(state.started_at or 0, plan.deadline, whole)
        if due is not None:
            yield DueItem(due, DueKind.SAGA_DEADLINE)
    for name, run in current:
        if run.status is not StepStatus.DONE:
            yield from _of_run(state, plan, wide, name, run)
            if compensates and run.status is StepStatus.FAILED:
                yield DueItem(run.ended_at or run.at, DueKind.GIVE_UP, name, run)
    end = end_of(state, plan)
    if end is not None and plan.ends[end.type] is not COMPLETED and (compensates or not has_undoable(state, plan, end)):
        yield DueItem(end.at, DueKind.END, end.id)
    if state.floors and not is_paused(state):
        yield from _undo_next(state, plan, wide)


def _of_run(state: SagaState, plan: SagaPlan, wide: Wide, name: str, run: Run) -> Iterator[DueItem]:
    """A run that has not ended: its next attempt, and its deadline."""
    if trigger_of(run, state) is None:  # forgotten: it cannot be run again
        return
    frozen = pauses.of_step(state, wide, name)
    again = _again_at(run)
    if again is not None:
        at = _sent_at(*again, frozen)
        if at is not None:
            yield DueItem(at, DueKind.EXECUTE, name, run)
    deadline = plan.steps[name].deadline
    if deadline is not None and run.status.is_open and not _has_fired(state, run):
        due = pauses.due_at(run.at, deadline, frozen)
        if due is not None:
            yield DueItem(due, DueKind.DEADLINE, name, run)


def _sent_at(since: int, wait: int, frozen: tuple[pauses.Interval, ...]) -> int | None:
    """When a command is sent that is to wait so long; none while a pause lasts, however long it has waited."""
    return None if _stands(frozen) else pauses.due_at(since, wait, frozen)


def _stands(frozen: tuple[pauses.Interval, ...]) -> bool:
    """Whether a pause lasts, so that nothing is sent."""
    return bool(frozen) and frozen[-1][1] is None


def _again_at(run: Run) -> tuple[int, int] | None:
    """Since when, and for how long, a run waits for its next attempt."""
    ended = run.ended_at or run.at
    if run.status is StepStatus.RETRYING:
        return ended, max(0, (run.retry_at or ended) - ended)
    return (ended, 0) if run.status.meaning.is_put_off else None


def _has_fired(state: SagaState, run: Run) -> bool:
    return any(fired.about == run.about and fired.epoch == run.epoch for fired in state.fired)


def _undoing(state: SagaState, plan: SagaPlan, wide: Wide) -> Iterator[DueItem]:
    """A saga that settles, undoes what is done, and then ends or goes on."""
    undo = state.undo
    if undo is None or _stands(pauses.of_saga(state, wide)):
        return
    if undo.settled_at is None:
        if not is_live(state, undo.steps):
            yield DueItem(undo.at, DueKind.SETTLE)
            return
        limit = milliseconds(plan.definition.settle_timeout) or 0
        due = pauses.due_at(undo.at, limit, pauses.of_saga(state, wide))
        if due is not None:
            yield DueItem(due, DueKind.SETTLE)
        return
    owed = [debt for debt in pending_compensations(state, plan) if debt.paid_at is None]
    if owed:
        yield from _undo_next(state, plan, wide)
    else:
        yield DueItem(undo.settled_at, DueKind.FINISH)


def _undo_next(state: SagaState, plan: SagaPlan, wide: Wide) -> Iterator[DueItem]:
    """The one outcome that is next to be undone, the last completed first; none while one is under way or stuck."""
    for debt in pending_compensations(state, plan):
        if debt.paid_at is not None:
            continue
        if debt.is_live or debt.is_stuck:
            return
        frozen = pauses.of_step(state, wide, debt.step)
        since = debt.outcome.at if debt.report is None else debt.report.at
        at = _sent_at(since, max(0, (debt.retry_at or since) - since), frozen)
        if at is not None:
            yield DueItem(at, DueKind.COMPENSATE, debt.step, debt=debt)
        return


def _after_the_end(state: SagaState, plan: SagaPlan, wide: Wide) -> Iterator[DueItem]:
    """Late outcomes are undone; when nothing of the saga is left, it is forgotten in time."""
    if (state.undo is not None or state.floors) and not is_paused(state):
        owed = [debt for debt in pending_compensations(state, plan) if debt.paid_at is None]
        if owed:
            yield from _undo_next(state, plan, wide)
            return
    if not is_live(state) and not state.incidents:
        kept = plan.keep_finished
        yield DueItem(max(state.ended_at or 0, state.updated_at) + kept, DueKind.FORGET)


def _unknown(state: SagaState, plan: SagaPlan) -> Iterator[DueItem]:
    """Nothing but stray records: kept as long as finished sagas are."""
    if not (state.asked or state.held_events or state.held_reports):
        yield DueItem(state.updated_at + plan.keep_finished, DueKind.FORGET)


def _of_unknown_version(state: SagaState) -> Iterator[DueItem]:
    if not state.definition and not state.asked:
        yield DueItem(state.updated_at, DueKind.FORGET)
    if not state.incidents and not state.status.is_final and state.events:
        yield DueItem(state.events[0].at + UNKNOWN_FOR, DueKind.RAISE, "version")
