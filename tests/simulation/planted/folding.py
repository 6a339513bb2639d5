"""Mistakes in what the tracker makes of the records that it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec.structs import replace

from kafka_saga.definition.model import COMPLETED
from kafka_saga.tracker.core import fold, transitions
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import EventRef, SagaState
from tests.simulation.planted.replacing import Planted, replaced, together, with_outlines


def a_failed_end_counted_as_completed() -> AbstractContextManager[None]:
    """A saga whose final event means failure is completed."""
    return with_outlines(lambda right: dataclasses.replace(right, ends=dict.fromkeys(right.ends, COMPLETED)))


def a_decision_taken_as_the_first_outcome() -> AbstractContextManager[None]:
    """A step that has ended by another of its outcomes counts as ended by the first."""
    right = fold._taken_in

    def taken_in(state: SagaState, ref: EventRef, cause: EventRef | None, plan: SagaPlan) -> Any:
        step = plan.steps.get(ref.step or "")
        is_outcome = step is not None and ref.type in step.outcomes
        first = replace(ref, type=step.step.emits[0].event_type) if step is not None and is_outcome else ref
        return right(state, first, cause, plan)

    return replaced(fold, "_taken_in", taken_in)


def unmatched_dropped() -> AbstractContextManager[None]:
    """A record that does not fit leaves no trace on its saga."""
    return together(*(replaced(owner, "with_unmatched", lambda known, _: known) for owner in (fold, transitions)))


FOLDING: Sequence[Planted] = (
    a_failed_end_counted_as_completed,
    a_decision_taken_as_the_first_outcome,
    unmatched_dropped,
)
