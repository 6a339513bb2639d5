"""The one place where the command line asks the tracker's core for its sentence about a saga."""

from __future__ import annotations

from services.tracker.core.reason import reason
from services.tracker.core.state import SagaState


def standing(state: SagaState, now: int) -> str:
    """Why a saga is not finished, or how it ended. `now` is milliseconds UTC."""
    return reason(state, now)
