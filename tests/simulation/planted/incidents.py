"""Mistakes in incidents, and in what is kept of a saga that has ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.tracker.core import due_items, transitions
from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.due_items import DueKind
from kafka_saga.tracker.partition_state import scope_of
from kafka_saga.tracker.processor import TrackerProcessor, Written
from tests.simulation.planted.replacing import Planted, replaced, together, with_outlines, without_items


def incidents_never_raised() -> AbstractContextManager[None]:
    """Nobody is asked when only a person can decide."""
    return together(*(replaced(owner, "incidents", lambda *_: []) for owner in (due_items, transitions)))


def incidents_never_solved() -> AbstractContextManager[None]:
    """An incident stays open when its reason has gone."""
    return without_items("_incidents", DueKind.SOLVE)


def control_never_tombstoned() -> AbstractContextManager[None]:
    """Entries of control stay when nobody needs them any more."""
    written, taken_up = TrackerProcessor._written, TrackerProcessor._taken_up

    def write(self: TrackerProcessor, *given: Any) -> Written:
        outgoing, changes = written(self, *given)
        return outgoing, tuple(one for one in changes if one.topic != SAGA_CONTROL or one.value is not None)

    def take_up(self: TrackerProcessor, book: Any, key: bytes, now: int) -> Any:
        return None if scope_of(key) is not None else taken_up(self, book, key, now)

    return together(replaced(TrackerProcessor, "_written", write), replaced(TrackerProcessor, "_taken_up", take_up))


def a_step_that_is_waited_for_is_forgotten() -> AbstractContextManager[None]:
    """A saga that has ended is forgotten though a delivery of it is live."""
    return replaced(due_items, "is_live", lambda state, steps=None: steps is not None and is_live(state, steps))


def a_saga_forgotten_too_early() -> AbstractContextManager[None]:
    """A finished saga is kept for half of the time that its definition says."""
    return with_outlines(lambda right: dataclasses.replace(right, keep_finished=right.keep_finished // 2))


INCIDENTS: Sequence[Planted] = (
    incidents_never_raised,
    incidents_never_solved,
    control_never_tombstoned,
    a_step_that_is_waited_for_is_forgotten,
    a_saga_forgotten_too_early,
)
