"""Changes of sagas, thinned out: of each saga at most so many a second, always the latest. Pure."""

from __future__ import annotations

from kafka_saga.tracker.core.state import SagaState

GAP = 0.2
"""Seconds between two changes of one saga that are told."""

MOST = 2_000
"""How many sagas can wait to be told of; when there are more, the client is told to ask anew."""


class Coalescer:
    """What waits to be told; times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._waiting: dict[str, SagaState] = {}
        self._told: dict[str, float] = {}
        self.lost = 0

    def put(self, state: SagaState) -> None:
        """A saga has changed; an older state than the one that waits is passed over."""
        known = self._waiting.get(state.saga_id)
        if known is not None and known.revision >= state.revision:
            return
        if known is None and len(self._waiting) >= MOST:
            self.lost += len(self._waiting)
            self._waiting.clear()
        self._waiting[state.saga_id] = state

    def drop(self, saga_id: str) -> None:
        """A saga is no more: nothing of it waits."""
        self._waiting.pop(saga_id, None)

    def take(self, now: float) -> list[SagaState]:
        """What can be told now, in the order in which it came."""
        self._told = {saga_id: at for saga_id, at in self._told.items() if now < at + GAP}
        due = [state for saga_id, state in self._waiting.items() if saga_id not in self._told]
        for state in due:
            del self._waiting[state.saga_id]
            self._told[state.saga_id] = now
        return due

    def take_lost(self) -> int:
        """How many sagas' changes were given up since this was last asked."""
        lost, self.lost = self.lost, 0
        return lost

    def next_at(self) -> float | None:
        """When there will be more to take; none if nothing waits."""
        if not self._waiting:
            return None
        return min(self._told.get(saga_id, 0.0) + GAP for saga_id in self._waiting)
