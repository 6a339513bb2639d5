"""What only a person can decide about a saga, as it stands. A function of the state."""

from __future__ import annotations

from collections.abc import Iterator

from services.tracker.core.debts import debts
from services.tracker.core.derive import end_of
from services.tracker.core.outline import REFERENCES_LAST, WARN_BEFORE, Outline
from services.tracker.core.runs import step_runs, trigger_of
from services.tracker.core.state import Incident, Run, SagaState, StepStatus
from topology.model import COMPLETED, OnFailure

STEP_COMMANDS = ("retry", "redrive", "skip", "rewind", "cancel")
OVERDUE_COMMANDS = ("redrive", "skip", "rewind", "cancel")
UNDO_COMMANDS = ("retry", "skip")
AGEING_COMMANDS = ("resume", "skip", "cancel")
SAGA_COMMANDS = ("rewind", "cancel")


def incidents(state: SagaState, plan: Outline) -> tuple[Incident, ...]:
    """Every incident that should be open, in an order of their own."""
    if state.status.is_final and not _may_owe(state, plan):
        return ()
    return tuple(sorted(_found(state, plan), key=lambda incident: (incident.at, incident.id)))


def _found(state: SagaState, plan: Outline) -> Iterator[Incident]:
    if plan.definition.on_failure is OnFailure.INCIDENT and state.undo is None and not state.status.is_final:
        yield from _failed_steps(state, plan)
        yield from _overdue(state, plan)
        yield from _bad_end(state, plan)
    yield from _stuck(state, plan)


def _may_owe(state: SagaState, plan: Outline) -> bool:
    return bool(state.undo or state.floors) and any(step.compensated for step in plan.steps.values())


def _failed_steps(state: SagaState, plan: Outline) -> Iterator[Incident]:
    for name, run in step_runs(state, plan):
        if run.status is StepStatus.FAILED:
            why = f"step {name} has failed for good after attempt {run.attempt}: {run.error}"
            yield Incident(_id("failed", name, run), "step_failed", name, why, run.ended_at or run.at, STEP_COMMANDS)


def _overdue(state: SagaState, plan: Outline) -> Iterator[Incident]:
    open_runs = {(run.about, run.epoch): (name, run) for name, run in step_runs(state, plan) if run.status.is_open}
    for fired in state.fired:
        if not fired.about:
            why = "the saga's deadline has passed"
            yield Incident("overdue/saga", "saga_deadline", None, why, fired.at, SAGA_COMMANDS)
        elif found := open_runs.get((fired.about, fired.epoch)):
            name, run = found
            why = f"the deadline of step {name} has passed; an outcome that still comes counts"
            yield Incident(_id("overdue", name, run), "step_deadline", name, why, fired.at, OVERDUE_COMMANDS)


def _bad_end(state: SagaState, plan: Outline) -> Iterator[Incident]:
    end = end_of(state, plan)
    if end is not None and plan.ends[end.type] is not COMPLETED and has_undoable(state, plan):
        why = f"the saga has ended by {end.type}, and steps that can be undone are done"
        yield Incident(f"ended/{end.id}", "failed_end", end.step, why, end.at, SAGA_COMMANDS)


def _stuck(state: SagaState, plan: Outline) -> Iterator[Incident]:
    for debt in debts(state, plan):
        if debt.is_stuck and debt.report is not None:
            why = f"step {debt.step} cannot be undone (attempt {debt.report.attempt}): {debt.report.reason}"
            identity = f"undo/{debt.step}/{debt.outcome.id[:8]}/{debt.report.attempt}"
            yield Incident(identity, "compensation_failed", debt.step, why, debt.report.at, UNDO_COMMANDS)


def ageing(state: SagaState, plan: Outline) -> Iterator[Incident]:
    """Open runs whose trigger will soon have left the log, each dated when a person should hear of it."""
    if state.status.is_final:
        return
    for name, run in step_runs(state, plan):
        trigger = trigger_of(run, state) if run.status.is_open else None
        if trigger is not None:
            at = trigger.at + REFERENCES_LAST - WARN_BEFORE
            why = f"what step {name} works on leaves the log in a day, and cannot be read again after that"
            yield Incident(_id("ageing", name, run), "ageing", name, why, at, AGEING_COMMANDS)


def has_undoable(state: SagaState, plan: Outline) -> bool:
    """Whether a step that can be undone is done."""
    return any(
        event.step == step.name and event.type in step.outcomes
        for step in plan.steps.values()
        if step.compensated is not None
        for event in state.events
    )


def _id(kind: str, step: str, run: Run) -> str:
    return f"{kind}/{step}/{run.about[:8]}/{run.epoch}/{run.attempt}"
