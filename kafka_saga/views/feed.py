"""Changes of this worker's sagas, as they happen, for whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from kafka_saga.tracker.core.state import decode
from kafka_saga.views.port import Change, Changed, Gone, Missed

MOST = 5_000
"""Changes that wait for a slow listener; then it is told that it has missed some."""


class Ear:
    """One listener, of one saga or of all."""

    def __init__(self, saga_id: str | None = None, most: int = MOST) -> None:
        self.saga_id = saga_id
        self._changes: asyncio.Queue[Change] = asyncio.Queue(most)

    def tell(self, change: Change) -> None:
        """Pass a change on; if too many wait, they are dropped, and the listener hears of that."""
        if self._changes.full():
            while not self._changes.empty():
                self._changes.get_nowait()
            self._changes.put_nowait(Missed("more changed at once than this connection could take"))
        self._changes.put_nowait(change)

    async def hear(self, seconds: float) -> Change | None:
        """The next change; none if there is none for so long."""
        if not self._changes.empty():
            return self._changes.get_nowait()
        try:
            async with asyncio.timeout(seconds):
                return await self._changes.get()
        except TimeoutError:
            return None


class Feed:
    """Everybody who listens to this worker."""

    def __init__(self) -> None:
        self._ears: set[Ear] = set()

    def tell(self, saga_id: str, record: bytes | None) -> None:
        """A saga has changed, or is gone."""
        ears = [ear for ear in self._ears if ear.saga_id in {None, saga_id}]
        if not ears:
            return
        change = Gone(saga_id) if record is None else Changed(decode(record))
        for ear in ears:
            ear.tell(change)

    @contextmanager
    def listening(self, ear: Ear) -> Iterator[None]:
        """Let `ear` hear what happens, inside."""
        self._ears.add(ear)
        try:
            yield
        finally:
            self._ears.discard(ear)

    def __len__(self) -> int:
        return len(self._ears)
