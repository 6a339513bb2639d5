"""What follows from the facts of a saga: the runs of each step, its status, and the saga's. A function of the set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from services.tracker.core.state import EventRef, ReportRef, Run, SagaState, SagaStatus, StepState, StepStatus
from topology.model import EndStatus, Saga, Step

Effects = dict[tuple[str | None, str | None], list[EventRef]]
"""What each event has caused, by the step that did it."""

_SEVERITY = {EndStatus.COMPLETED: 0, EndStatus.CANCELLED: 1, EndStatus.FAILED: 2}
_AS_SAGA = {
    EndStatus.COMPLETED: SagaStatus.COMPLETED,
    EndStatus.CANCELLED: SagaStatus.CANCELLED,
    EndStatus.FAILED: SagaStatus.FAILED,
}


def derived(state: SagaState, definition: Saga) -> SagaState:
    """The state with everything that its events and reports imply."""
    steps = _steps(definition, state)
    failed = _first_failed(steps)
    end = None if any(step.status is StepStatus.QUEUED for step in steps) else _end(state.events, definition)
    if failed is not None:
        return _finished(state, steps, SagaStatus.FAILED, failed.since, error=f"step {failed.name}: {failed.error}")
    if end is not None:
        return _ended_by(state, steps, end, definition)
    start = _start(state)
    status = SagaStatus.UNKNOWN if start is None else SagaStatus.RUNNING
    return replace(state, steps=tuple(steps), status=status, started_at=start, ended_at=None, end=None, error=None)


def _ended_by(state: SagaState, steps: list[StepState], end: EventRef, definition: Saga) -> SagaState:
    status = definition.ends_by_type[end.type]
    error = f"ended by {end.type}" if status is EndStatus.FAILED else None
    return _finished(state, steps, _AS_SAGA[status], end.at, error=error, end=end.type)


def _finished(
    state: SagaState, steps: Sequence[StepState], status: SagaStatus, at: int | None, *, error: str | None,
    end: str | None = None,
) -> SagaState:  # fmt: skip
    """A saga that has ended: what has not run by now never will."""
    final = tuple(
        replace(step, status=StepStatus.SKIPPED) if step.status is StepStatus.WAITING else step for step in steps
    )
    return replace(state, steps=final, status=status, started_at=_start(state), ended_at=at, end=end, error=error)


def _steps(definition: Saga, state: SagaState) -> list[StepState]:
    effects: Effects = {}
    for event in state.events:
        effects.setdefault((event.cause, event.step), []).append(event)
    return [_step(step, state, effects) for step in definition.steps]


def _step(step: Step, state: SagaState, effects: Effects) -> StepState:
    runs = _runs(step, state, effects)
    if not runs:
        return state.step(step.name) if state.forgotten else StepState(step.name)
    last = runs[-1]
    since = last.at if last.ended_at is None else last.ended_at
    error = last.error if last.outcome is None else None
    return StepState(step.name, last.status, last.attempt, last.epoch, since, error, runs)


def _runs(step: Step, state: SagaState, effects: Effects) -> tuple[Run, ...]:
    trigger, outcomes = step.on.event_type, {event.event_type for event in step.emits}
    runs: list[Run] = []
    for event in state.events:
        if event.type == trigger:
            ended = next((e for e in effects.get((event.id, step.name), ()) if e.type in outcomes), None)
            failed = [r for r in state.reports if r.cause == event.id and r.step == step.name]
            runs.append(_run(event, ended, failed[-1] if failed else None))
    return tuple(runs)


def _run(trigger: EventRef, outcome: EventRef | None, failed: ReportRef | None) -> Run:
    if outcome is not None:
        return Run(trigger.id, trigger.at, outcome.attempt, outcome.epoch, outcome.id, outcome.at)
    if failed is not None:
        return Run(
            trigger.id, trigger.at, failed.attempt, failed.epoch, None, failed.at, failed.reason, failed.retryable
        )
    return Run(trigger.id, trigger.at, trigger.attempt, trigger.epoch)


def _first_failed(steps: Iterable[StepState]) -> StepState | None:
    failed = [step for step in steps if step.status is StepStatus.FAILED]
    return min(failed, key=lambda step: (step.since or 0, step.name), default=None)


def _end(events: Iterable[EventRef], definition: Saga) -> EventRef | None:
    """Of the final events the gravest, of equal ones the last."""
    ends = [event for event in events if event.type in definition.ends_by_type]
    return max(ends, key=lambda e: (_SEVERITY[definition.ends_by_type[e.type]], e.at, e.id), default=None)


def _start(state: SagaState) -> int | None:
    """When the first event came; of a saga that has forgotten it, as it was known before."""
    if state.forgotten:
        return state.started_at
    return state.events[0].at if state.events and state.events[0].cause is None else None
