"""Why a saga is not finished, or how it ended: one sentence for people, two where one would be too long."""

from __future__ import annotations

from collections.abc import Callable

from kafka_saga.tracker.core.explain.around import NOTHING_KNOWN, Around, Look
from kafka_saga.tracker.core.explain.asides import asides
from kafka_saga.tracker.core.explain.endings import ending
from kafka_saga.tracker.core.explain.runs import at_work
from kafka_saga.tracker.core.explain.standing import (
    brought_back,
    gap,
    idle,
    not_started,
    of_unknown_version,
    outrun,
    paused,
    pausing,
    unknown_version,
    with_incidents,
    working,
)
from kafka_saga.tracker.core.state import SagaState, SagaStatus

__all__ = ["Around", "reason"]


def reason(state: SagaState, now: int, around: Around = NOTHING_KNOWN) -> str:
    """Where a saga stands: what it waits for, since when, and what will happen when. `now` is milliseconds UTC."""
    look = Look(state, now, around)
    main = next(say for applies, say in _SITUATIONS if applies(look))(look)
    return " ".join((main, *asides(look)))


_SITUATIONS: tuple[tuple[Callable[[Look], bool], Callable[[Look], str]], ...] = (
    (lambda look: look.state.status.is_final, ending),
    (lambda look: look.state.status is SagaStatus.UNKNOWN, not_started),
    (lambda look: look.state.status is SagaStatus.PAUSED, paused),
    (lambda look: look.state.status is SagaStatus.PAUSING, pausing),
    (lambda look: bool(look.state.incidents), with_incidents),
    (lambda look: of_unknown_version(look.state), unknown_version),
    (lambda look: look.state.undo is not None, brought_back),
    (lambda look: look.state.rival is not None, outrun),
    (lambda look: bool(look.state.held_events or look.state.held_reports), gap),
    (lambda look: bool(at_work(look)), working),
    (lambda _: True, idle),
)
"""Of what may hold for a saga, the first that does says why it is not finished."""
