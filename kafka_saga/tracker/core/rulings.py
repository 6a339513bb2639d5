"""Rulings: what is done about a saga once everything of log time below some moment has been read. Pure.

`due(state, until, ...)` takes up the due items that lie before `until`, in the order of their times, each on the
state that the one before has left. The same facts and the same moments give the same rulings.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from kafka_saga.tracker.core.changes import changes
from kafka_saga.tracker.core.decisions import RULINGS, Decision, Forget, Ruled
from kafka_saga.tracker.core.derive import derived
from kafka_saga.tracker.core.due_items import DueItem, DueKind, due_items
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.pruning import pruned
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.tracker.core.transitions import take_up

MOST_ITEMS = 1_000
"""Rulings about one saga at once; more would be a mistake of ours that runs in a circle."""


class DueRulings(NamedTuple):
    """A state and what was decided on the way to it; no state: the saga is forgotten. `due`: when it is, next."""

    state: SagaState | None
    decisions: tuple[Decision, ...] = ()
    due: int | None = None


def due(state: SagaState, until: int, plan: SagaPlan, wide: Wide) -> DueRulings:
    """Everything that is to happen before `until` (milliseconds UTC, log time)."""
    decided: tuple[Decision, ...] = ()
    first = state
    for _ in range(MOST_ITEMS):
        item = min(due_items(state, plan, wide), key=_order, default=None)
        if item is None or item.at >= until:
            return DueRulings(state, _told(state, decided, until, first), item.at if item is not None else None)
        if item.what is DueKind.FORGET:
            return DueRulings(None, (*_told(state, decided, until, first), Forget()))
        after, decisions = take_up(state, item, until, plan, wide)
        small = pruned(replace(after, revision=state.revision + 1), plan, wide)
        settled = derived(small, plan, plan.steps)
        decided = (*decided, *decisions, *changes(state, settled, plan))
        state = settled
    raise RuntimeError(f"{state.saga_id}: its due_items does not end; {item} comes again and again")


def _told(state: SagaState, decided: tuple[Decision, ...], until: int, before: SagaState) -> tuple[Decision, ...]:
    """The decisions, of which one at least tells that there was a ruling if anything has changed."""
    if state is before or any(isinstance(one, RULINGS) for one in decided):
        return decided
    return (Ruled(until), *decided)


def _order(item: DueItem) -> tuple[int, int, str]:
    return item.at, item.what, item.about
