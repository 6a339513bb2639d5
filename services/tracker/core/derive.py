"""What follows from the facts of a saga: the runs of each step, its status, and the saga's. A function of the set.

A step depends on the events that trigger it, its outcomes and its reports, and on nothing else: only the steps that
new facts touch are derived anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from services.tracker.core.outline import Outline, StepOutline
from services.tracker.core.state import EventRef, ReportRef, Run, SagaState, SagaStatus, StepState, StepStatus
from topology.model import EndStatus

_SEVERITY = {EndStatus.COMPLETED: 0, EndStatus.CANCELLED: 1, EndStatus.FAILED: 2}
_AS_SAGA = {
    EndStatus.COMPLETED: SagaStatus.COMPLETED,
    EndStatus.CANCELLED: SagaStatus.CANCELLED,
    EndStatus.FAILED: SagaStatus.FAILED,
}


def derived(state: SagaState, plan: Outline, touched: Collection[str]) -> SagaState:
    """The state with everything that its events and reports imply; `touched` are the steps that new facts concern."""
    steps = [_step(plan.steps[known.name], known, state, touched) for known in state.steps]
    failed = _first_failed(steps)
    if failed is not None:
        return _finished(
            state, plan, steps, SagaStatus.FAILED, failed.since, error=f"step {failed.name}: {failed.error}"
        )
    end = None if any(step.status is StepStatus.QUEUED for step in steps) else _end(state.events, plan)
    if end is not None:
        return _ended_by(state, plan, steps, end)
    start = _start(state)
    status = SagaStatus.UNKNOWN if start is None else SagaStatus.RUNNING
    return replace(state, steps=tuple(steps), status=status, started_at=start, ended_at=None, end=None, error=None)


def _ended_by(state: SagaState, plan: Outline, steps: list[StepState], end: EventRef) -> SagaState:
    status = plan.ends[end.type]
    error = f"ended by {end.type}" if status is EndStatus.FAILED else None
    return _finished(state, plan, steps, _AS_SAGA[status], end.at, error=error, end=end.type)


def _finished(
    state: SagaState,
    plan: Outline,
    steps: Sequence[StepState],
    status: SagaStatus,
    at: int | None,
    *,
    error: str | None,
    end: str | None = None,
) -> SagaState:
    """A saga that has ended: what has not run by now never will."""
    final = tuple(plan.steps[step.name].skipped if step.status is StepStatus.WAITING else step for step in steps)
    return replace(state, steps=final, status=status, started_at=_start(state), ended_at=at, end=end, error=error)


def _step(plan: StepOutline, known: StepState, state: SagaState, touched: Collection[str]) -> StepState:
    if plan.name not in touched:
        return plan.waiting if known.status is StepStatus.SKIPPED else known
    runs = _runs(plan, state)
    if not runs:
        return known if state.forgotten else plan.waiting
    last = runs[-1]
    since = last.at if last.ended_at is None else last.ended_at
    error = last.error if last.outcome is None else None
    return StepState(plan.name, last.status, last.attempt, last.epoch, since, error, runs)


def _runs(plan: StepOutline, state: SagaState) -> tuple[Run, ...]:
    outcomes: dict[str | None, EventRef] = {}
    for event in state.events:
        if event.step == plan.name and event.type in plan.outcomes:
            outcomes.setdefault(event.cause, event)
    failed = {report.cause: report for report in state.reports if report.step == plan.name}
    return tuple([
        _run(event, outcomes.get(event.id), failed.get(event.id))
        for event in state.events
        if event.type == plan.trigger
    ])  # fmt: skip


def _run(trigger: EventRef, outcome: EventRef | None, failed: ReportRef | None) -> Run:
    if outcome is not None:
        return Run(trigger.at, outcome.attempt, outcome.epoch, outcome.type, outcome.at)
    if failed is not None:
        return Run(trigger.at, failed.attempt, failed.epoch, None, failed.at, failed.reason, failed.retryable)
    return Run(trigger.at, trigger.attempt, trigger.epoch)


def _first_failed(steps: Iterable[StepState]) -> StepState | None:
    failed = [step for step in steps if step.status is StepStatus.FAILED]
    return min(failed, key=lambda step: (step.since or 0, step.name)) if failed else None


def _end(events: Iterable[EventRef], plan: Outline) -> EventRef | None:
    """Of the final events the gravest, of equal ones the last."""
    ends = [event for event in events if event.type in plan.ends]
    return max(ends, key=lambda event: (_SEVERITY[plan.ends[event.type]], event.at, event.id)) if ends else None


def _start(state: SagaState) -> int | None:
    """When the first event came; of a saga that has forgotten it, as it was known before."""
    if state.forgotten:
        return state.started_at
    return state.events[0].at if state.events and state.events[0].cause is None else None
