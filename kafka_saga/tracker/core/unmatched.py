"""Records that change nothing: the last of them are kept, so that nothing disappears without a trace."""

from __future__ import annotations

from kafka_saga.tracker.core.state import Unmatched

MAX_UNMATCHED = 20
"""How many records that changed nothing are kept a saga."""


def with_unmatched(known: tuple[Unmatched, ...], more: tuple[Unmatched, ...]) -> tuple[Unmatched, ...]:
    """The latest of both, in the order of log time."""
    kept = sorted((*known, *more), key=lambda one: (one.at, one.topic, one.offset))
    return tuple(kept[-MAX_UNMATCHED:])
