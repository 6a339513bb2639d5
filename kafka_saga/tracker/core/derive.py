"""What follows from the facts of a saga: the runs of each step, its status, and the saga's. A function of the set.

A step depends on the events that trigger it, its outcomes, its reports, the commands sent to it, and on whether the
saga is being undone: only the steps that new facts touch are derived anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from kafka_saga.definition.model import COMPLETED, EndStatus
from kafka_saga.tracker.core.compensations import PendingCompensation, pending_compensations, status_of_compensation
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.runs import is_current, runs
from kafka_saga.tracker.core.state import EventRef, Goal, Run, SagaState, SagaStatus, StepState, StepStatus

_UNDECIDED = frozenset(status for status in StepStatus if status.is_undecided)

_SEVERITY = {EndStatus.COMPLETED: 0, EndStatus.CANCELLED: 1, EndStatus.FAILED: 2}


def derived(state: SagaState, plan: SagaPlan, touched: Collection[str]) -> SagaState:
    """The state with everything that its facts imply; `touched` are the steps that new facts concern."""
    if not plan.is_known:
        return replace(state, hash="", started_at=_start(state), status=_unknown_version(state))
    steps = tuple([
        known if known.name not in touched and known.status is not StepStatus.SKIPPED
        else _step(plan, known, state, touched)
        for known in state.steps
    ])  # fmt: skip
    after = replace(state, steps=steps, started_at=_start(state))
    if after.undo is not None:
        return _undone(after, plan)
    end = end_of(after, plan)
    if end is not None and plan.ends[end.type] is COMPLETED:
        # A superseder that came after the end is nothing to this saga, whichever of both was read first.
        return replace(_ended(after, plan, SagaStatus.COMPLETED, end.at, end=end.type), rival=None)
    status = _status(after, plan)
    if status is after.status and after.ended_at is None and after.end is None and after.error is None:
        return after
    return replace(after, status=status, ended_at=None, end=None, error=None)


def end_of(state: SagaState, plan: SagaPlan) -> EventRef | None:
    """The final event of a saga in which no branch has anything left to do: of several the gravest, then the last."""
    for step in state.steps:
        if step.status in _UNDECIDED or (step.status is StepStatus.SKIPPED and step.runs):
            return None
    ends = [event for event in state.events if event.type in plan.ends and _counts(event, state)]
    return max(ends, key=lambda event: (_SEVERITY[plan.ends[event.type]], event.at, event.id)) if ends else None


def is_live(state: SagaState, steps: Collection[str] | None = None) -> bool:
    """Whether a delivery of these steps (none: of any) is out and has not ended, as far as is known."""
    return any(run.live for step in state.steps if steps is None or step.name in steps for run in step.runs)


def is_paused(state: SagaState) -> bool:
    """Whether a pause of the saga lasts."""
    return bool(state.pauses) and any(pause.until is None for pause in state.pauses)


def _counts(event: EventRef, state: SagaState) -> bool:
    return event.epoch >= state.floors.get(event.step or "", 0)


def _undone(state: SagaState, plan: SagaPlan) -> SagaState:
    """A saga that is being undone, or has been."""
    undo = state.undo
    if undo is None:
        return state
    if undo.ended_at is not None:
        status = SagaStatus.CANCELLED if undo.goal is Goal.CANCELLED else SagaStatus.FAILED
        return _ended(state, plan, status, undo.ended_at, error=undo.reason, end=undo.end)
    steps = state.steps if undo.goal is Goal.REDO else _never(state.steps, plan)
    return replace(state, steps=steps, status=_status(state, plan), ended_at=None, end=None, error=undo.reason)


def _status(state: SagaState, plan: SagaPlan) -> SagaStatus:
    """The status of a saga that has not ended."""
    if state.started_at is None:
        return SagaStatus.UNKNOWN
    if is_paused(state):
        return SagaStatus.PAUSING if is_live(state) or _is_undoing(state, plan) else SagaStatus.PAUSED
    if state.undo is None:
        return SagaStatus.RUNNING
    if state.undo.goal is Goal.CANCELLED and state.undo.settled_at is None:
        return SagaStatus.CANCELLING
    return SagaStatus.COMPENSATING


def _unknown_version(state: SagaState) -> SagaStatus:
    if state.status.is_final:
        return state.status
    return SagaStatus.UNKNOWN if _start(state) is None else SagaStatus.RUNNING


def _is_undoing(state: SagaState, plan: SagaPlan) -> bool:
    return any(debt.is_live for debt in pending_compensations(state, plan))


def _ended(
    state: SagaState, plan: SagaPlan, status: SagaStatus, at: int, *, error: str | None = None, end: str | None = None
) -> SagaState:
    """A saga that has ended: what has not run by now never will."""
    return replace(state, steps=_never(state.steps, plan), status=status, ended_at=at, end=end, error=error)


def _never(steps: Iterable[StepState], plan: SagaPlan) -> tuple[StepState, ...]:
    """The steps of a saga that does not go on: what waits will not run, what would be tried again has failed."""
    return tuple([_stopped(step, plan) for step in steps])


def _stopped(step: StepState, plan: SagaPlan) -> StepState:
    if step.status is StepStatus.WAITING:
        return plan.steps[step.name].skipped
    status = step.status.meaning.when_stopped
    return step if status is None else replace(step, status=status)


def _step(plan: SagaPlan, known: StepState, state: SagaState, touched: Collection[str]) -> StepState:
    step = plan.steps[known.name]
    if step.name not in touched:  # it was skipped as its saga had ended: that is to be seen again
        return known if known.runs else step.waiting
    found = runs(step, state)
    if not found:
        return known if state.forgotten else step.waiting
    current = [run for run in found if is_current(run, step.name, state)] if state.floors else found
    if not current:
        return StepState(step.name, runs=found)
    last = current[-1]
    since = last.at if last.ended_at is None else last.ended_at
    status = last.status
    if status is StepStatus.DONE and step.compensated is not None:
        status = _after_undoing(last, step.name, pending_compensations(state, plan))
    return StepState(step.name, status, last.attempt, last.epoch, since, last.error, found)


def _after_undoing(run: Run, step: str, owed: Sequence[PendingCompensation]) -> StepStatus:
    """What has become of a run that was done; an outcome of an earlier epoch is not its own."""
    for debt in owed:
        if debt.step == step and (debt.outcome.cause, debt.outcome.epoch) == (run.about, run.epoch):
            return status_of_compensation(debt)
    return run.status


def _start(state: SagaState) -> int | None:
    """When the first event came; of a saga that has forgotten it, as it was known before."""
    if state.forgotten:
        return state.started_at
    return state.events[0].at if state.events and state.events[0].cause is None else None
