"""What only a person can decide about a saga, as it stands. A function of the state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kafka_saga.definition.model import COMPLETED, OnFailure
from kafka_saga.tracker.core.compensations import pending_compensations
from kafka_saga.tracker.core.derive import end_of
from kafka_saga.tracker.core.plan import MANY_EVENTS, REFERENCES_LAST, WARN_BEFORE, SagaPlan
from kafka_saga.tracker.core.runs import StepRun, trigger_of
from kafka_saga.tracker.core.state import EventRef, Incident, Run, SagaState, StepStatus

STEP_COMMANDS = ("retry", "redrive", "skip", "rewind", "cancel")
OVERDUE_COMMANDS = ("redrive", "skip", "rewind", "cancel")
UNDO_COMMANDS = ("retry", "skip")
AGEING_COMMANDS = ("resume", "skip", "cancel")
LATE_COMMANDS = ("cancel",)
SAGA_COMMANDS = ("rewind", "cancel")


def incidents(state: SagaState, plan: SagaPlan, current: Sequence[StepRun]) -> list[Incident]:
    """Every incident that should be open, or is to be at a later time; `current` are the saga's runs that count."""
    found: list[Incident] = []
    if not state.status.is_final:
        found += (*_ageing(state, current), *_growing(state))
        if plan.definition.on_failure is OnFailure.INCIDENT and state.undo is None:
            found += (*_failed_steps(current), *_overdue(state, current), *_bad_end(state, plan))
    if state.undo or state.floors:
        found += _stuck(state, plan)
    return found


def _failed_steps(current: Sequence[StepRun]) -> Iterator[Incident]:
    for name, run in current:
        if run.status is StepStatus.FAILED:
            why = f"step {name} has failed for good after attempt {run.attempt}: {run.error}"
            yield Incident(_id("failed", name, run), "step_failed", name, why, run.ended_at or run.at, STEP_COMMANDS)


def _overdue(state: SagaState, current: Sequence[StepRun]) -> Iterator[Incident]:
    if not state.fired:
        return
    open_runs = {(run.about, run.epoch): (name, run) for name, run in current if run.status.is_open}
    for fired in state.fired:
        if not fired.about:
            why = "the saga's deadline has passed"
            yield Incident("overdue/saga", "saga_deadline", None, why, fired.at, LATE_COMMANDS)
        elif found := open_runs.get((fired.about, fired.epoch)):
            name, run = found
            why = f"the deadline of step {name} has passed; an outcome that still comes counts"
            yield Incident(_id("overdue", name, run), "step_deadline", name, why, fired.at, OVERDUE_COMMANDS)


def _bad_end(state: SagaState, plan: SagaPlan) -> Iterator[Incident]:
    end = end_of(state, plan)
    if end is not None and plan.ends[end.type] is not COMPLETED and has_undoable(state, plan, end):
        why = f"the saga has ended by {end.type}, and steps that can be undone are done"
        yield Incident(f"ended/{end.id}", "failed_end", end.step, why, end.at, SAGA_COMMANDS)


def _stuck(state: SagaState, plan: SagaPlan) -> Iterator[Incident]:
    for debt in pending_compensations(state, plan):
        if debt.is_stuck and debt.report is not None:
            why = f"step {debt.step} cannot be undone (attempt {debt.report.attempt}): {debt.report.reason}"
            identity = f"undo/{debt.step}/{debt.outcome.id[:8]}/{debt.report.attempt}"
            yield Incident(identity, "compensation_failed", debt.step, why, debt.report.at, UNDO_COMMANDS)


def _ageing(state: SagaState, current: Sequence[StepRun]) -> Iterator[Incident]:
    """Open runs whose trigger will soon have left the log, each dated when a person should hear of it."""
    for name, run in current:
        trigger = trigger_of(run, state) if run.status.is_open else None
        if trigger is not None:
            at = trigger.at + REFERENCES_LAST - WARN_BEFORE
            why = f"what step {name} works on leaves the log in a day, and cannot be read again after that"
            yield Incident(_id("ageing", name, run), "ageing", name, why, at, AGEING_COMMANDS)


def _growing(state: SagaState) -> Iterator[Incident]:
    """A saga whose steps run again and again and can be undone: all their outcomes are kept, and fill its state."""
    if len(state.events) >= MANY_EVENTS:
        why = (
            f"the saga keeps {MANY_EVENTS:,} events that may have to be undone, and has room for some 1,500: what "
            "comes after that is not tracked"
        )
        yield Incident("growing", "growing", None, why, state.events[MANY_EVENTS - 1].at, LATE_COMMANDS)


def has_undoable(state: SagaState, plan: SagaPlan, end: EventRef) -> bool:
    """Whether a step that can be undone is done, beside the one that has ended the saga."""
    return any(
        event is not end and event.step == step.name and event.type in step.outcomes
        for step in plan.steps.values()
        if step.compensated is not None
        for event in state.events
    )


def _id(kind: str, step: str, run: Run) -> str:
    return f"{kind}/{step}/{run.about[:8]}/{run.epoch}/{run.attempt}"
