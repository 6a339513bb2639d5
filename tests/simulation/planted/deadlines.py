"""Mistakes in deadlines, and in the clocks by which they pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kafka_saga.tracker.core import pauses
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.processor import TrackerProcessor
from tests.simulation.planted.replacing import Planted, replaced, with_outlines


def a_steps_deadline_never_fires() -> AbstractContextManager[None]:
    """A step is waited for without end."""
    return with_outlines(lambda right: _with_step_deadlines(right, lambda _: None))


def a_sagas_deadline_never_fires() -> AbstractContextManager[None]:
    """A saga may take as long as it likes."""
    return with_outlines(lambda right: dataclasses.replace(right, deadline=None, only_deadline=None))


def a_deadline_too_early() -> AbstractContextManager[None]:
    """Deadlines of steps and sagas fire when half of their time has passed."""

    def early(right: SagaPlan) -> SagaPlan:
        halved = _with_step_deadlines(right, _half)
        return dataclasses.replace(halved, deadline=_half(right.deadline), only_deadline=_half(right.only_deadline))

    return with_outlines(early)


def a_deadline_by_the_trackers_own_clock() -> AbstractContextManager[None]:
    """It fires without reading on, by a clock that is no broker's."""
    right = TrackerProcessor.punctuate

    def punctuate(self: TrackerProcessor, number: int, stores: Any, now: int) -> Any:
        if book := self._partitions.get(number):
            book.until = max(book.until, now)
        return right(self, number, stores, now)

    return replaced(TrackerProcessor, "punctuate", punctuate)


def pauses_that_stop_no_clock() -> AbstractContextManager[None]:
    """Deadlines and delays run on while a saga is paused."""
    return replaced(pauses, "due_at", lambda since, length, intervals: since + length)


DEADLINES: Sequence[Planted] = (
    a_steps_deadline_never_fires,
    a_sagas_deadline_never_fires,
    a_deadline_too_early,
    a_deadline_by_the_trackers_own_clock,
    pauses_that_stop_no_clock,
)


def _with_step_deadlines(right: SagaPlan, wrong: Callable[[int | None], int | None]) -> SagaPlan:
    steps = {name: dataclasses.replace(one, deadline=wrong(one.deadline)) for name, one in right.steps.items()}
    return dataclasses.replace(right, steps=steps)


def _half(length: int | None) -> int | None:
    return None if length is None else length // 2
