"""Mistakes in undoing: what is undone, when, in which order and how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kafka_saga.tracker.core import compensations, due_items, fold
from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.due_items import DueItem, DueKind
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import EventRef, SagaState
from tests.simulation.planted.replacing import Planted, replaced


def no_settling() -> AbstractContextManager[None]:
    """A saga is undone while deliveries of it still run."""
    return replaced(due_items, "is_live", lambda state, steps=None: steps is None and is_live(state))


def compensation_in_the_wrong_order() -> AbstractContextManager[None]:
    """The first outcome is undone first."""
    return replaced(
        due_items, "pending_compensations", lambda state, plan: compensations.pending_compensations(state, plan)[::-1]
    )


def a_compensation_sent_again_while_it_runs() -> AbstractContextManager[None]:
    """A command to undo is sent once more before it has ended."""
    right = due_items._undo_next

    def undo_next(state: SagaState, plan: SagaPlan, wide: Any) -> Iterator[DueItem]:
        yield from right(state, plan, wide)
        for debt in compensations.pending_compensations(state, plan):
            is_first = sum(one.undoes and one.about == debt.outcome.id for one in state.sent) == 1
            if debt.is_live and debt.last is not None and is_first:
                yield DueItem(debt.last.at, DueKind.COMPENSATE, debt.step, debt=debt)

    return replaced(due_items, "_undo_next", undo_next)


def a_late_outcome_forgotten() -> AbstractContextManager[None]:
    """What comes after settling is not undone."""
    right = compensations._is_owed

    def is_owed(event: EventRef, state: SagaState, plan: SagaPlan, *, is_over: bool) -> bool:
        undo = state.undo
        is_late = undo is not None and undo.settled_at is not None and event.at > undo.settled_at
        return not is_late and right(event, state, plan, is_over=is_over)

    return replaced(compensations, "_is_owed", is_owed)


def a_late_outcome_not_told() -> AbstractContextManager[None]:
    """What comes after settling is undone without a word on the lifecycle."""
    return replaced(fold, "late", lambda *_: ())


COMPENSATION: Sequence[Planted] = (
    no_settling,
    compensation_in_the_wrong_order,
    a_compensation_sent_again_while_it_runs,
    a_late_outcome_forgotten,
    a_late_outcome_not_told,
)
