"""What has changed between two states of a saga, as notices: the same whether a record or a ruling has changed it."""

from __future__ import annotations

from collections.abc import Iterator

from services.tracker.core.decisions import (
    Cancelled,
    Completed,
    Failed,
    Late,
    Notice,
    Paused,
    Resumed,
    RetryScheduled,
    Started,
)
from services.tracker.core.outline import Outline
from services.tracker.core.state import Run, SagaState, SagaStatus, StepState, StepStatus


def changes(before: SagaState, after: SagaState) -> tuple[Notice, ...]:
    """What anybody who follows the saga wants to know."""
    if before.status is after.status and not after.reports and not (before.pauses or after.pauses):
        return () if before.started_at is not None or after.started_at is None else (Started(after.started_at),)
    return tuple(_changes(before, after))


def _changes(before: SagaState, after: SagaState) -> Iterator[Notice]:
    if before.started_at is None and after.started_at is not None:
        yield Started(after.started_at)
    if after.reports:
        yield from _retries(before, after)
    if after.pauses:
        yield from _resumed(before, after)
    if after.status is not before.status:
        if after.status is SagaStatus.PAUSED:
            pause = next(pause for pause in after.pauses if pause.until is None)
            yield Paused(after.updated_at, pause.by, pause.reason)
        if after.ended_at is not None:
            yield _ending(after, after.ended_at)


def _ending(state: SagaState, at: int) -> Notice:
    match state.status:
        case SagaStatus.COMPLETED:
            return Completed(at, state.end or "")
        case SagaStatus.CANCELLED:
            return Cancelled(at, state.end or "", state.error or "")
        case _:
            return Failed(at, state.error or "", state.undo.step if state.undo else None, state.end)


def _retries(before: SagaState, after: SagaState) -> Iterator[RetryScheduled]:
    if before.steps == after.steps:
        return
    known = {(step.name, run.about, run.epoch, run.attempt) for step, run in _retrying(before)}
    for step, run in _retrying(after):
        if (step.name, run.about, run.epoch, run.attempt) not in known:
            at = run.ended_at or run.at
            yield RetryScheduled(at, step.name, run.attempt + 1, run.retry_at or at, run.error or "")


def _retrying(state: SagaState) -> Iterator[tuple[StepState, Run]]:
    return ((step, run) for step in state.steps for run in step.runs if run.status is StepStatus.RETRYING)


def _resumed(before: SagaState, after: SagaState) -> Iterator[Resumed]:
    lasting = {(pause.scope, pause.at) for pause in before.pauses if pause.until is None}
    for pause in after.pauses:
        if pause.until is not None and (pause.scope, pause.at) in lasting:
            yield Resumed(pause.until, pause.by, pause.reason)


def late(before: SagaState, after: SagaState, plan: Outline) -> Iterator[Late]:
    """The outcomes that have come when nobody counted on them any more."""
    known = {event.id for event in before.events}
    undo = before.undo
    is_over = undo is not None and undo.redo is None and undo.settled_at is not None
    for event in after.events:
        step = plan.steps.get(event.step or "")
        if step is None or event.id in known or event.type not in step.outcomes:
            continue
        if is_over or event.epoch < before.floors.get(step.name, 0):
            yield Late(event.at, step.name, event.type, event.id, step.compensated is not None)
