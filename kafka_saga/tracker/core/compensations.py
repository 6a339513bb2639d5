"""What has to be undone: outcomes of steps that can compensate, once they no longer count.

A compensation is owed for one outcome event, not for a step: a late outcome, and one that a later epoch has replaced,
are undone like any other, each exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.runs import FAILED, next_attempt_at
from kafka_saga.tracker.core.state import EventRef, Goal, ReportRef, SagaState, Sent, StepStatus


class PendingCompensation(NamedTuple):
    """An outcome to undo, and how far that is. `retry_at`: when the next attempt is due, none if there is none.

    One that is waived counts as paid: a person has said that it need not be undone.
    """

    step: str
    outcome: EventRef
    last: Sent | None
    report: ReportRef | None
    paid_at: int | None
    retry_at: int | None
    is_waived: bool = False

    @property
    def is_live(self) -> bool:
        """Whether a command to undo is out and has not ended."""
        return self.last is not None and self.report is None and self.paid_at is None

    @property
    def is_stuck(self) -> bool:
        """Whether undoing has failed for good."""
        failed = self.report is not None and self.report.kind == FAILED
        return failed and self.retry_at is None and self.paid_at is None


def pending_compensations(state: SagaState, plan: SagaPlan) -> list[PendingCompensation]:
    """Every outcome that has to be undone or has been, in the order to do it: the last completed first."""
    is_over = state.undo is not None and state.undo.goal is not Goal.REDO
    owed = [event for event in reversed(state.events) if _is_owed(event, state, plan, is_over=is_over)]
    return [_debt(event, state, plan) for event in owed]


def status_of_compensation(debt: PendingCompensation) -> StepStatus:
    """How the step of a compensation stands."""
    if debt.is_waived or debt.last is None:
        return StepStatus.DONE
    return StepStatus.COMPENSATING if debt.paid_at is None else StepStatus.COMPENSATED


def _is_owed(event: EventRef, state: SagaState, plan: SagaPlan, *, is_over: bool) -> bool:
    step = plan.steps.get(event.step or "")
    if step is None or step.compensated is None or event.type not in step.outcomes:
        return False
    return is_over or event.epoch < state.floors.get(step.name, 0)


def _debt(outcome: EventRef, state: SagaState, plan: SagaPlan) -> PendingCompensation:
    step = outcome.step or ""
    sent = [one for one in state.sent if one.undoes and one.about == outcome.id]
    last = sent[-1] if sent else None
    report = next((one for one in state.reports if last is not None and one.command == last.id), None)
    undone = plan.steps[step].compensated
    done = next((event.at for event in state.events if event.type == undone and event.cause == outcome.id), None)
    is_waived = done is None and outcome.id in state.waived
    paid = _waived_at(outcome, state) if is_waived else done
    return PendingCompensation(step, outcome, last, report, paid, _retry_at(state, plan, step, report, sent), is_waived)


def _waived_at(outcome: EventRef, state: SagaState) -> int:
    """When a person said that an outcome need not be undone, about."""
    return state.updated_at if state.undo is None else max(outcome.at, state.undo.settled_at or 0)


def _retry_at(
    state: SagaState, plan: SagaPlan, step: str, report: ReportRef | None, sent: Sequence[Sent]
) -> int | None:
    if report is None:
        return None
    if report.kind != FAILED:
        return report.at
    return next_attempt_at(plan.steps[step].step.compensation_retry, report, sent, f"{state.saga_id}/{step}/undo")
