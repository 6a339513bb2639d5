"""What each kind of ruling does to a saga. Pure; the due items say when which is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from kafka_saga.definition.model import EndStatus, OnFailure
from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.tracker.core.commands import RefusedError, begun, obey, resumed
from kafka_saga.tracker.core.compensations import pending_compensations
from kafka_saga.tracker.core.decisions import (
    Accepted,
    Compensated,
    Decision,
    Emit,
    Raised,
    Refused,
    Resumed,
    Solved,
    TimedOut,
    Undoing,
)
from kafka_saga.tracker.core.derive import is_paused
from kafka_saga.tracker.core.due_items import UNKNOWN_FOR, DueItem, DueKind
from kafka_saga.tracker.core.incidents import incidents
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.pruning import with_unmatched
from kafka_saga.tracker.core.runs import step_runs
from kafka_saga.tracker.core.sending import Ruling, compensate, execute, sent_to
from kafka_saga.tracker.core.state import EventRef, Fired, Goal, Incident, Pause, Run, SagaState, Undo, Unmatched
from kafka_saga.wire.control import remembered
from kafka_saga.wire.wording import length

MAX_ANSWERED = 50
"""Of so many of a saga's last commands the ids are kept, by which one that comes again is known."""


def take_up(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    """The state after one item of the agenda, and what was decided."""
    return _RULINGS[item.what](state, item, until, plan, wide)


def _adopt_pause(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    held = next(entry.paused for scope, entry in wide.prefixes if scope == item.about and entry.paused)
    return replace(state, pauses=(*state.pauses, Pause(item.about, held.by, held.reason, held.at))), ()


def _end_pause(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    after = replace(state, pauses=resumed(state.pauses, item.about, item.at))
    entry = next((entry for scope, entry in wide.prefixes if scope == item.about), None)
    if entry is None or entry.resumed is None:
        return after, _resumed(state, after, item.at, "", f"{item.about} is not paused any more")
    return after, _resumed(state, after, item.at, entry.resumed.by, entry.resumed.reason)


def _obey(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    asked = next(one for one in state.asked if one.id == item.about)
    rest = replace(
        state,
        asked=tuple(one for one in state.asked if one.id != asked.id),
        answered=remembered(state.answered, asked.id, asked.fingerprint, MAX_ANSWERED),
    )
    try:
        obeyed = obey(rest, asked, plan)
    except RefusedError as error:
        return rest, (Refused(asked.at, asked.id, asked.command, asked.author, asked.reason, str(error)),)
    after = obeyed.state
    more: tuple[Decision, ...] = _resumed(rest, after, asked.at, asked.author, asked.reason)
    if obeyed.run is not None:
        after, more = execute(after, *obeyed.run, until, fresh=True)
    elif obeyed.debt is not None:
        after, more = compensate(after, obeyed.debt, until, fresh=True)
    elif after.undo is not None and after.undo is not rest.undo:
        more = (*more, _undoing(after.undo, until))
    return after, (Accepted(asked.at, asked.id, asked.command, asked.author, asked.reason), *more)


def _yield(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    why = f"superseded by {item.about}"
    free = replace(state, pauses=resumed(state.pauses, "saga", until))
    yielding, decided = _begin(begun(free, plan, Goal.CANCELLED, why, until), until)
    return yielding, (*_resumed(state, free, until, "", why), *decided)


def _resumed(before: SagaState, after: SagaState, at: int, by: str, reason: str) -> tuple[Decision, ...]:
    """What is said when the last of a saga's pauses is over; one that has ended does not go on."""
    goes_on = is_paused(before) and not is_paused(after) and not before.status.is_final
    return (Resumed(at, by, reason),) if goes_on else ()


def _give_up(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    reason = f"step {item.about}: {_run(item).error}"
    return _begin(begun(state, plan, Goal.FAILED, reason, until, item.about), until)


def _settle(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    return replace(state, undo=replace(_undo(state), settled_at=until)), ()


def _finish(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    """All is undone: the saga ends, or goes on from the step that is to be run again."""
    undo = _undo(state)
    paid = [
        (one.paid_at, one.step)
        for one in pending_compensations(state, plan)
        if one.paid_at is not None and not one.is_waived
    ]
    undone = tuple(step for at, step in sorted(paid) if at >= undo.at)
    decided: tuple[Decision, ...] = (Compensated(until, undone),) if undone else ()
    redo = undo.redo
    if redo is None:
        return replace(state, undo=replace(undo, ended_at=until)), decided
    trigger = _event(state, redo.about)
    onward = replace(state, undo=None)
    if redo.outcome is not None:
        return onward, (*decided, Emit(redo.step, trigger, redo.outcome, undo.epoch, redo.content or "{}"))
    after, more = sent_to(onward, redo.step, trigger, until, 1, undo.epoch, fresh=True)
    return after, (*decided, *more)


def _end_badly(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    end = _event(state, item.about)
    goal = Goal.CANCELLED if plan.ends[end.type] is EndStatus.CANCELLED else Goal.FAILED
    return _begin(begun(state, plan, goal, f"ended by {end.type}", until, end.step, end.type), until)


def _fire(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    """A deadline has passed, and no outcome of log time up to it is on the log."""
    run = item.run
    fired = Fired(run.about, item.about, run.epoch, item.at) if run else Fired("", "", state.epoch, item.at)
    after = replace(state, fired=(*state.fired, fired))
    step = item.about or None
    deadline = (plan.steps[step].deadline if step else plan.deadline) or 0
    timed_out = TimedOut(item.at, step, fired.epoch, deadline)
    if plan.definition.on_failure is OnFailure.INCIDENT:
        return _with_incidents(after, (timed_out,), until, plan)
    late = f"its deadline of {length(deadline)} has passed"
    reason = f"step {step}: {late}" if step else late
    undone, decided = _begin(begun(after, plan, Goal.FAILED, reason, until, step), until)
    return undone, (timed_out, *decided)


def _execute(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    return execute(state, item.about, _run(item), until, fresh=False)


def _compensate(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    if item.debt is None:
        raise LookupError(item)
    return compensate(state, item.debt, until, fresh=False)


def _raise(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    return _opened(state, [_incident(state, item, plan)])


def _incident(state: SagaState, item: DueItem, plan: SagaPlan) -> Incident:
    if plan.is_known:
        wanted = incidents(state, plan, step_runs(state, plan))
        return next(incident for incident in wanted if incident.id == item.about)
    why = (
        f"the saga follows {state.definition} v{state.version}, which the tracker has not known for "
        f"{UNKNOWN_FOR // 60_000} min: start a tracker with that version"
    )
    return Incident(item.about, "unknown_version", None, why, item.at)


def _with_incidents(state: SagaState, decided: tuple[Decision, ...], until: int, plan: SagaPlan) -> Ruling:
    """The state with every incident that there is reason for by now."""
    known = {incident.id for incident in state.incidents}
    wanted = incidents(state, plan, step_runs(state, plan))
    new = [incident for incident in wanted if incident.at < until and incident.id not in known]
    after, raised = _opened(state, new)
    return after, (*decided, *raised)


def _opened(state: SagaState, new: Sequence[Incident]) -> Ruling:
    kept = tuple(sorted((*state.incidents, *new), key=lambda one: (one.at, one.id)))
    return replace(state, incidents=kept), tuple(map(Raised, new))


def _solve(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    left = tuple(one for one in state.incidents if one.id != item.about)
    return replace(state, incidents=left), (Solved(until, item.about, f"the saga is {state.status.value}"),)


def _unmatch(state: SagaState, item: DueItem, until: int, plan: SagaPlan, wide: Wide) -> Ruling:
    """What is held waits for something that is not on the log."""
    why = "what caused it is not on the log"
    events = [event for event in state.held_events if event.id == item.about]
    reports = [report for report in state.held_reports if report.id == item.about]
    gone = (
        *(Unmatched(event.type, event.type, event.offset, event.at, why) for event in events),
        *(Unmatched(report.kind, SAGA_STEPS, report.offset, report.at, why) for report in reports),
    )
    after = replace(
        state,
        held_events=tuple(event for event in state.held_events if event.id != item.about),
        held_reports=tuple(report for report in state.held_reports if report.id != item.about),
        unmatched=with_unmatched(state.unmatched, gone),
    )
    return after, ()


_RULINGS: Mapping[DueKind, Callable[[SagaState, DueItem, int, SagaPlan, Wide], Ruling]] = {
    DueKind.PAUSE: _adopt_pause,
    DueKind.RESUME: _end_pause,
    DueKind.OBEY: _obey,
    DueKind.YIELD: _yield,
    DueKind.SETTLE: _settle,
    DueKind.FINISH: _finish,
    DueKind.END: _end_badly,
    DueKind.DEADLINE: _fire,
    DueKind.SAGA_DEADLINE: _fire,
    DueKind.GIVE_UP: _give_up,
    DueKind.EXECUTE: _execute,
    DueKind.COMPENSATE: _compensate,
    DueKind.RAISE: _raise,
    DueKind.SOLVE: _solve,
    DueKind.UNMATCH: _unmatch,
}


def _begin(state: SagaState, at: int) -> Ruling:
    return state, (_undoing(_undo(state), at),)


def _undoing(undo: Undo, at: int) -> Undoing:
    return Undoing(at, undo.goal.value, undo.reason, undo.epoch, undo.steps)


def _undo(state: SagaState) -> Undo:
    if state.undo is None:
        raise LookupError(f"{state.saga_id} is not being undone")
    return state.undo


def _run(item: DueItem) -> Run:
    if item.run is None:
        raise LookupError(item)
    return item.run


def _event(state: SagaState, identity: str) -> EventRef:
    return next(event for event in state.events if event.id == identity)
