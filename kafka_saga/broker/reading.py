"""Reading partitions to where they end now, while the caller waits: each committed record once, in bounded time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kafka_saga.broker.clock import Clock, SystemClock
from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.errors import UnavailableError

STALLED = 10.0
"""Seconds without any record, while there should be more, after which reading is given up."""

_BATCH = 1_000
_TURN = 0.2
_SYSTEM = SystemClock()


def batches(
    reader: Reader, positions: Mapping[TopicPartition, int | None], clock: Clock = _SYSTEM
) -> Iterator[list[Record]]:
    """Every record from these positions (`None`: the beginning) to where the log ends now, as they come.

    Raises UnavailableError if Kafka falls silent before that.
    """
    reader.assign(positions)
    wanted, heard = frozenset(positions), clock.monotonic()
    while wanted - reader.ended():
        before = reader.ended()
        records = reader.poll(_TURN, _BATCH)
        yield records
        if records or reader.ended() != before:
            heard = clock.monotonic()
        elif clock.monotonic() - heard > STALLED:
            silent = ", ".join(sorted({at.topic for at in wanted - reader.ended()}))
            raise UnavailableError(f"Kafka has sent nothing of {silent} for {STALLED:g} s: see `saga kafka status`.")


def to_the_end(
    reader: Reader, positions: Mapping[TopicPartition, int | None], clock: Clock = _SYSTEM
) -> Iterator[Record]:
    """As `batches`, record by record."""
    for records in batches(reader, positions, clock):
        yield from records


def records_from(
    cluster: Cluster, positions: Mapping[TopicPartition, int | None], clock: Clock = _SYSTEM
) -> Iterator[Record]:
    """As `to_the_end`, by a reader of its own; nothing of no positions."""
    if not positions:
        return
    reader = cluster.reader()
    try:
        yield from to_the_end(reader, positions, clock)
    finally:
        reader.close()
