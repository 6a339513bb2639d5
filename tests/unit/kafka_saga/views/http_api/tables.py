"""The tables of a test: filled from the states on an in-memory log, split over workers as the real ones are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from kafka_saga.api.health import Health, HealthStatus, Worker
from kafka_saga.api.topology import Figures, FiguresReport, StepFigures
from kafka_saga.tracker.core.state import SagaState, decode, encode
from kafka_saga.views.listing import Index, entry_of, incident_page_of, page_of
from kafka_saga.views.port import Change, Changed, IncidentPage, IncidentQuery, KeySagas, SagaPage, SagaQuery
from kafka_saga.wire.ids import key_of


class MemoryTables:
    """Two workers' indexes in one process; `error` is raised by every call, `now` is milliseconds UTC."""

    def __init__(self, states: Iterable[SagaState] = (), *, now: int = 0, behind_s: float = 0.25) -> None:
        self.now = now
        self.behind_s = behind_s
        self.error: Exception | None = None
        self._values: dict[str, bytes] = {}
        self._indexes = [Index(self._values.get), Index(self._values.get)]
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[Change]]] = []
        for state in states:
            self.put(state)

    def put(self, state: SagaState) -> None:
        """A saga is new, or has changed."""
        self._values[state.saga_id] = encode(state)
        self._indexes[state.partition % 2].put(entry_of(encode(state)))
        for loop, queue in tuple(self._listeners):
            loop.call_soon_threadsafe(queue.put_nowait, Changed(state))

    @property
    def listening(self) -> int:
        """How many follow the changes."""
        return len(self._listeners)

    async def sagas(self, query: SagaQuery) -> SagaPage:
        self._fail()
        return page_of([index.part(query, self.now, self.behind_s) for index in self._indexes], query)

    async def of_key(self, key: str) -> KeySagas:
        self._fail()
        found = [decode(value) for saga_id, value in self._values.items() if key_of(saga_id) == key]
        return KeySagas(tuple(sorted(found, key=lambda one: one.started_at or 0, reverse=True)), self.behind_s)

    async def incidents(self, query: IncidentQuery) -> IncidentPage:
        self._fail()
        return incident_page_of([index.incidents(query, self.now, self.behind_s) for index in self._indexes], query)

    async def figures(self) -> FiguresReport:
        self._fail()
        by_definition: dict[str, dict[str, int]] = {}
        for index in self._indexes:
            for definition, counts in index.counts(self.now).items():
                known = by_definition.setdefault(definition, {})
                for status, count in counts.items():
                    known[status] = known.get(status, 0) + count
        counts = {status: count for one in by_definition.values() for status, count in one.items()}
        steps = (StepFigures(definition="code_review", step="llm", windows={"1m": Figures(started=3, done=2)}),)
        return FiguresReport(counts=counts, definitions=by_definition, incidents=1, steps=steps, behind_s=self.behind_s)

    async def health(self) -> Health:
        worker = Worker(url="http://127.0.0.1:8420", partitions=(0, 1, 2, 3), behind_s=self.behind_s)
        return Health(status=HealthStatus.READY, workers=(worker,), behind_s=self.behind_s)

    async def changes(self, saga_id: str | None = None) -> AsyncIterator[Change]:
        self._fail()
        listener = (asyncio.get_running_loop(), asyncio.Queue[Change]())
        self._listeners.append(listener)
        try:
            while True:
                change = await listener[1].get()
                if not isinstance(change, Changed) or saga_id in {None, change.state.saga_id}:
                    yield change
        finally:
            self._listeners.remove(listener)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error
