"""What has changed between two states of a saga, as notices: the same whether a record or a ruling has changed it."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.tracker.core.compensations import pending_compensations
from kafka_saga.tracker.core.decisions import (
    Cancelled,
    Completed,
    Failed,
    Late,
    Notice,
    Paused,
    RetryScheduled,
    Started,
)
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.runs import FAILED, step_runs
from kafka_saga.tracker.core.state import Goal, SagaState, SagaStatus, StepStatus

_Again = tuple[str, str, int, int, bool]
"""What is tried again: a step, with what, the epoch, the attempt that failed, and whether it undoes."""


def changes(before: SagaState, after: SagaState, plan: SagaPlan) -> tuple[Notice, ...]:
    """What anybody who follows the saga wants to know."""
    if before.status is after.status and not after.reports:
        return () if before.started_at is not None or after.started_at is None else (Started(after.started_at),)
    return tuple(_changes(before, after, plan))


def _changes(before: SagaState, after: SagaState, plan: SagaPlan) -> Iterator[Notice]:
    if before.started_at is None and after.started_at is not None:
        yield Started(after.started_at)
    if after.reports and plan.is_known:
        known = {again for again, _ in _retries(before, plan)} if before.reports else set[_Again]()
        yield from (notice for again, notice in _retries(after, plan) if again not in known)
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


def _retries(state: SagaState, plan: SagaPlan) -> Iterator[tuple[_Again, RetryScheduled]]:
    """The failed attempts that will be followed by another: of steps that still count, and at undoing them."""
    if state.undo is None or state.undo.goal is Goal.REDO:
        for name, run in step_runs(state, plan):
            if run.status is StepStatus.RETRYING:
                at = run.ended_at or run.at
                notice = RetryScheduled(at, name, run.attempt + 1, run.retry_at or at, run.error or "")
                yield (name, run.about, run.epoch, run.attempt, False), notice
    if state.undo is None and not state.floors:
        return
    for debt in pending_compensations(state, plan):
        report, due = debt.report, debt.retry_at
        if report is not None and due is not None and report.kind == FAILED and debt.paid_at is None:
            notice = RetryScheduled(report.at, debt.step, report.attempt + 1, due, report.reason, undoes=True)
            yield (debt.step, debt.outcome.id, report.epoch, report.attempt, True), notice


def late(before: SagaState, after: SagaState, plan: SagaPlan) -> Iterator[Late]:
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
