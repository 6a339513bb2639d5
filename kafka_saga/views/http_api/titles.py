"""What sagas call themselves, by their first events: read once, kept, and for lists read ahead of the next look."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from kafka_saga.errors import ChoreographyError
from kafka_saga.tracker.core.state import SagaState

MOST = 20_000
"""How many titles are kept; a first event never changes."""

PATIENCE = 1.0
"""Seconds that an answer waits for a title."""

Read = Callable[[Sequence[SagaState]], Awaitable[Mapping[str, str | None]]]
"""Reads the titles of some sagas, by id: none where there is none. Raises ChoreographyError while Kafka is away."""


class Titles:
    """Titles by saga; those that were kept first go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str | None] = OrderedDict()
        self._reading: asyncio.Task[None] | None = None

    def known(self, saga_id: str) -> str | None:
        """The title, if there is one and it has been read."""
        return self._known.get(saga_id)

    def note(self, titles: Mapping[str, str]) -> None:
        """Take in what others have read."""
        self._known.update(titles)
        self._shorten()

    async def of(self, state: SagaState, read: Read) -> str | None:
        """The title, read now if need be; none if that takes long: Kafka is away, or the event is gone."""
        if state.saga_id not in self._known:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._learn([state], read), PATIENCE)
        return self.known(state.saga_id)

    def ahead(self, states: Sequence[SagaState], read: Read) -> None:
        """Read those that are not known, unless others are being read: the next list will have them."""
        missing = [state for state in states if state.saga_id not in self._known]
        if missing and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._learn(missing, read))

    async def close(self) -> None:
        """Give up what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _learn(self, states: Sequence[SagaState], read: Read) -> None:
        with suppress(ChoreographyError):  # a title is no reason to have no answer; it is asked for again
            for saga_id, title in (await read(states)).items():
                self._known[saga_id] = title
            self._shorten()

    def _shorten(self) -> None:
        while len(self._known) > MOST:
            self._known.popitem(last=False)
