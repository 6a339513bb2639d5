"""The one place where the command line asks the tracker's core for its sentence about a saga."""

from __future__ import annotations

from services.tracker.core.reason import reason
from services.tracker.core.state import SagaState
from services.tracker.core.why.around import NOTHING_KNOWN, Around


def standing(state: SagaState, now: int, around: Around = NOTHING_KNOWN) -> str:
    """Why a saga is not finished, or how it ended. `now` is milliseconds UTC."""
    return reason(state, now, around)
