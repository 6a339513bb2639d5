"""Mistakes in what commands of people do, and in what a later saga of the key does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import replace

from kafka_saga.tracker.core import commands
from kafka_saga.tracker.core.commands import Obeyed
from kafka_saga.tracker.core.due_items import DueKind
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import PendingCommand, SagaState
from tests.simulation.planted.replacing import Planted, replaced, without_items


def a_pause_accepted_without_effect() -> AbstractContextManager[None]:
    """A pause is accepted, and the saga goes on."""
    return _without_effect("_paused")


def a_resume_accepted_without_effect() -> AbstractContextManager[None]:
    """A resume is accepted, and the saga stays paused."""
    return _without_effect("_resumed")


def a_cancel_accepted_without_effect() -> AbstractContextManager[None]:
    """A cancel is accepted, and the saga goes on."""
    return _without_effect("_cancelled")


def a_retry_accepted_without_effect() -> AbstractContextManager[None]:
    """A retry is accepted, and nothing is tried again."""
    return _without_effect("_retried")


def a_redrive_accepted_without_effect() -> AbstractContextManager[None]:
    """A redrive is accepted, and no step runs again."""
    return _without_effect("_redriven")


def a_rewind_accepted_without_effect() -> AbstractContextManager[None]:
    """A rewind is accepted, and no step is undone or runs again."""
    return _without_effect("_rewound")


def a_skip_accepted_without_effect() -> AbstractContextManager[None]:
    """A skip is accepted, and the step stands as it stood."""
    return _without_effect("_skipped")


def floors_on_all_steps() -> AbstractContextManager[None]:
    """What a redo does not touch is of an older epoch too, and is undone."""
    right = commands._redo

    def redo(state: SagaState, plan: SagaPlan, *given: Any) -> SagaState:
        after = right(state, plan, *given)
        return replace(after, floors=dict.fromkeys(sorted(plan.steps), after.epoch))

    return replaced(commands, "_redo", redo)


def supersede_never() -> AbstractContextManager[None]:
    """A saga goes on though a later one of its key has started."""
    return without_items("_commands", DueKind.YIELD)


COMMANDS: Sequence[Planted] = (
    a_pause_accepted_without_effect,
    a_resume_accepted_without_effect,
    a_cancel_accepted_without_effect,
    a_retry_accepted_without_effect,
    a_redrive_accepted_without_effect,
    a_rewind_accepted_without_effect,
    a_skip_accepted_without_effect,
    floors_on_all_steps,
    supersede_never,
)


def _without_effect(order: str) -> AbstractContextManager[None]:
    """A command is refused as it has to be; where it is not, it leaves the saga as it was."""
    right = getattr(commands, order)

    def wrong(state: SagaState, asked: PendingCommand, *given: SagaPlan) -> SagaState | Obeyed:
        return Obeyed(state) if isinstance(right(state, asked, *given), Obeyed) else state

    return replaced(commands, order, wrong)
