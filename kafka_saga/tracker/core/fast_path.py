"""The short way for sagas to which nothing has happened but events: nearly all of them, nearly always.

What is computed here follows from the due items as well (a test holds both against each other), at ten times the cost.
"""

from __future__ import annotations

from kafka_saga.tracker.core.plan import MANY_EVENTS, REFERENCES_LAST, WARN_BEFORE, SagaPlan
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus

_AWAITED = tuple(status for status in StepStatus if status.is_open and status.is_at_service)


def is_plain(state: SagaState) -> bool:
    """Whether a saga runs or is completed, and knows of nothing but events."""
    if state.reports or state.asked or state.sent or state.floors or state.undo or state.fired or state.pauses:
        return False
    if state.incidents or state.rival or state.held_reports or not state.hash or len(state.events) >= MANY_EVENTS:
        return False
    if state.status is SagaStatus.RUNNING:
        for step in state.steps:
            if step.status in _AWAITED:
                return True
    return state.status is SagaStatus.COMPLETED


def plain_due(state: SagaState, plan: SagaPlan) -> int:
    """When something will happen with a plain saga by itself: a deadline passes, a cause is given up."""
    due = _due(state, plan)
    return min([due, *[event.at for event in state.held_events]]) if state.held_events else due


def _due(state: SagaState, plan: SagaPlan) -> int:
    if state.status is SagaStatus.COMPLETED:
        return max(state.ended_at or 0, state.updated_at) + plan.keep_finished
    if plan.only_deadline is not None:
        return (state.started_at or 0) + plan.only_deadline
    awaited = [step for step in state.steps if step.status in _AWAITED]
    dues = [run.at + REFERENCES_LAST - WARN_BEFORE for step in awaited for run in step.runs if run.outcome is None]
    if plan.deadline is not None:
        dues.append((state.started_at or 0) + plan.deadline)
    for step in awaited:
        deadline = plan.steps[step.name].deadline
        if deadline is not None:
            dues += [run.at + deadline for run in step.runs if run.outcome is None]
    return min(dues)
