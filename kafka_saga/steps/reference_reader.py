"""Reading back the records that commands refer to, a piece a turn, while everything else goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.engine.work import Delivery, Fetch, Missing
from kafka_saga.wire.step_commands import RecordReference, reference_text

PATIENCE = 30.0
"""Seconds in which a record has to come."""

PIECE = 500
"""Records read in one turn."""

FAR = 2_000
"""Records that are rather read over than that the reader begins anew, further on."""

TURN = 0.01
"""Seconds that a turn waits for a record."""

Wanted = dict[int, list[tuple[Delivery, float]]]
"""Of one partition, by offset: who waits for the record, and until when."""


class ReferenceReader:
    """Finds the causes of deliveries. Each partition is read upwards from the lowest offset that is wanted of it."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._reader: Reader | None = None
        self._wanted: dict[TopicPartition, Wanted] = {}
        self._at: dict[TopicPartition, int] = {}

    @property
    def is_running(self) -> bool:
        """Whether a record is waited for."""
        return bool(self._wanted)

    def ask(self, fetches: Iterable[Fetch]) -> None:
        """Have these read."""
        until = self._clock.monotonic() + PATIENCE
        for fetch in fetches:
            command = fetch.delivery.command
            if command is not None:
                topic, partition, offset = command.reference
                wanted = self._wanted.setdefault(TopicPartition(topic, partition), {})
                wanted.setdefault(offset, []).append((fetch.delivery, until))

    def advance(self) -> list[Delivery]:
        """Read a piece; the deliveries whose cause is known now, or known to be missing."""
        if not self._wanted:
            return []
        reader = self._reader = self._reader or self._cluster.reader()
        self._aim(reader)
        found = [one for record in reader.poll(TURN, PIECE) for one in self._came(record)]
        positions = reader.positions()
        for at in tuple(self._wanted):
            self._at[at] = max(self._at[at], positions.get(at, 0))
            found += self._passed(at)
        found += self._too_late()
        self._wanted = {at: wanted for at, wanted in self._wanted.items() if wanted}
        if not self._wanted:
            self.forget()
        return found

    def forget(self) -> None:
        """Nobody waits any more: the reader rests."""
        self._wanted.clear()
        self._at.clear()
        if self._reader is not None:
            self._reader.assign({})

    def close(self) -> None:
        """Release the reader."""
        if self._reader is not None:
            self._reader.close()

    def _aim(self, reader: Reader) -> None:
        """Begin anew if something wanted lies behind the reader, or far before it."""
        lowest = {at: min(wanted) for at, wanted in self._wanted.items()}
        if any(at not in self._at or not 0 <= offset - self._at[at] <= FAR for at, offset in lowest.items()):
            self._at = dict(lowest)
            reader.assign(dict(lowest))

    def _came(self, record: Record) -> Iterator[Delivery]:
        at = TopicPartition(record.topic, record.partition)
        for delivery, _ in self._wanted.get(at, {}).pop(record.offset, ()):
            delivery.cause = record
            yield delivery

    def _passed(self, at: TopicPartition) -> Iterator[Delivery]:
        """What lies below the reader's position and has not come will not come."""
        wanted = self._wanted[at]
        for offset in [offset for offset in wanted if offset < self._at[at]]:
            for delivery, _ in wanted.pop(offset):
                delivery.cause = Missing(f"there is no record at {reference_text(RecordReference(*at, offset))}")
                yield delivery

    def _too_late(self) -> Iterator[Delivery]:
        now = self._clock.monotonic()
        for at, wanted in self._wanted.items():
            for offset in [offset for offset, asked in wanted.items() if asked[0][1] <= now]:
                for delivery, _ in wanted.pop(offset):
                    place = reference_text(RecordReference(*at, offset))
                    delivery.cause = Missing(f"{place} could not be read within {PATIENCE:g} s", for_good=False)
                    yield delivery
