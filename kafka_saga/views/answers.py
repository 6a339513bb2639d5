"""What one worker says of the partitions that it holds: its part of each answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.tracker.core.state import SagaState, decode
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.port import IncidentPart, IncidentQuery, SagaQuery, TablePart
from kafka_saga.views.position import Positions
from kafka_saga.views.statistics import Tally


class TableProgress(Protocol):
    """Who holds what, as the group has it."""

    @property
    def owners(self) -> Mapping[int, str]:
        """By partition, the address of the worker that it was given to."""

    @property
    def ready(self) -> frozenset[int]:
        """The partitions that this worker answers for."""

    def look(self) -> None:
        """Take note of which partitions are read to the end."""


class FiguresPart(msgspec.Struct, frozen=True):
    """One worker's counters, by definition and status, and what happened at its sagas' steps."""

    counts: dict[str, dict[str, int]]
    incidents: int
    tallies: list[Tally]


class KeyPart(msgspec.Struct, frozen=True):
    """The records of a key's sagas, newest first."""

    records: tuple[msgspec.Raw, ...]

    def states(self) -> tuple[SagaState, ...]:
        """The sagas."""
        return tuple(decode(bytes(record)) for record in self.records)


class Answers:
    """This worker's parts of answers. `now` is milliseconds UTC; `also` is what else is wrong, as sentences."""

    def __init__(
        self,
        url: str,
        partitions: int,
        holdings: PartitionTables,
        positions: Positions,
        standing: TableProgress,
        now: Callable[[], int] = lambda: round(time.time() * 1000),
        also: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.url = url
        self.partitions = partitions
        self._holdings = holdings
        self._positions = positions
        self.standing = standing
        self._now = now
        self._also = also

    @property
    def ready(self) -> frozenset[int]:
        """The partitions that it answers for."""
        return self.standing.ready

    @property
    def behind_s(self) -> float:
        """Seconds behind the log, of its partition that is furthest behind."""
        self.standing.look()
        return round(self._positions.behind(self.ready, self._now()), 3)

    def partition_of(self, key: str) -> int:
        """Where the sagas of a business key are."""
        return partition_of(key.encode(), self.partitions)

    def sagas(self, query: SagaQuery) -> TablePart:
        """Its part of a list."""
        return self._holdings.index.part(query, self._now(), self.behind_s)

    def incidents(self, query: IncidentQuery) -> IncidentPart:
        """Its part of the open incidents."""
        return self._holdings.index.incidents(query, self._now(), self.behind_s)

    def of_key(self, key: str) -> KeyPart:
        """The sagas of a key."""
        kept = self._holdings.shown(self.partition_of(key), key.encode(), self._now())
        return KeyPart(tuple(msgspec.Raw(one.record) for one in kept))

    def figures(self) -> FiguresPart:
        """Its counters and figures."""
        now = self._now()
        index = self._holdings.index
        open_ones = index.incidents(IncidentQuery(limit=1), now).total
        return FiguresPart(index.counts(now), open_ones, self._holdings.tallies(self.ready, now))

    def complaints(self) -> tuple[str, ...]:
        """What is wrong with it and with what it holds, as sentences."""
        first = self._holdings.unreadable
        left_out = (f"records that this version cannot read are left out, the first of them {first}",) if first else ()
        return (*left_out, *self._also())
