"""The tracker's own commands: the next attempt of a run, and of a compensation."""

from __future__ import annotations

from msgspec.structs import replace

from kafka_saga.tracker.core.compensations import PendingCompensation
from kafka_saga.tracker.core.decisions import Compensate, Decision, Execute
from kafka_saga.tracker.core.runs import FAILED, trigger_of
from kafka_saga.tracker.core.state import EventRef, Run, SagaState, Sent
from kafka_saga.wire.ids import uuid5_hex

Ruling = tuple[SagaState, tuple[Decision, ...]]
"""What a ruling leaves, and decides."""


def execute(state: SagaState, step: str, run: Run, at: int, *, fresh: bool) -> Ruling:
    """The next attempt of a run, or the same again of one that never ran."""
    trigger = trigger_of(run, state)
    if trigger is None:
        return state, ()
    attempt = run.attempt + run.status.meaning.has_failed
    return sent_to(state, step, trigger, at, attempt, run.epoch, fresh=fresh)


def sent_to(
    state: SagaState, step: str, trigger: EventRef, at: int, attempt: int, epoch: int, *, fresh: bool
) -> Ruling:
    """A step is to run again with its trigger."""
    sent = _sent(state, step, trigger.id, at, attempt, epoch, fresh=fresh, undoes=False)
    return replace(state, sent=(*state.sent, sent)), (Execute(sent, trigger),)


def compensate(state: SagaState, debt: PendingCompensation, at: int, *, fresh: bool) -> Ruling:
    """The next attempt to undo an outcome."""
    failed = debt.report is not None and debt.report.kind == FAILED
    attempt = debt.last.attempt + failed if debt.last else 1
    outcome = debt.outcome
    sent = _sent(state, debt.step, outcome.id, at, attempt, outcome.epoch, fresh=fresh, undoes=True)
    return replace(state, sent=(*state.sent, sent)), (Compensate(sent, outcome),)


def _sent(
    state: SagaState, step: str, about: str, at: int, attempt: int, epoch: int, *, fresh: bool, undoes: bool
) -> Sent:
    # Two rulings never have one revision, and each sends one command at most.
    name = "\x1f".join((state.saga_id, step, about, str(epoch), str(attempt), str(state.revision), str(undoes)))
    return Sent(uuid5_hex(name), step, about, at, attempt, epoch, undoes, fresh)
