"""The one place where the command line asks the tracker's core for its sentence about a saga."""

from __future__ import annotations

from kafka_saga.tracker.core.explain.around import NOTHING_KNOWN, Around
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.state import SagaState


def standing(state: SagaState, now: int, around: Around = NOTHING_KNOWN) -> str:
    """Why a saga is not finished, or how it ended. `now` is milliseconds UTC."""
    return reason(state, now, around)
