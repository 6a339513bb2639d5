"""A log in memory as a file, and back: its committed records, what its groups have committed, and the time.

Each line is a JSON object; bytes are base64. The first line has the time, the next ones the groups' offsets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.partition import PLAIN, Partition, State
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.testing.system import System


class At(msgspec.Struct, frozen=True, tag=True):
    """When the log was kept, milliseconds UTC."""

    now: int


class Offset(msgspec.Struct, frozen=True, tag=True):
    """What a group has committed for a partition."""

    group: str
    topic: str
    partition: int
    offset: int
    metadata: str


class Kept(msgspec.Struct, frozen=True, tag=True):
    """A committed record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


Line = At | Offset | Kept
_decoder = msgspec.json.Decoder(Line)


def keep(world: System, path: Path) -> None:
    """Write the log of a world."""
    lines: list[Line] = [At(world.clock.now()), *_offsets(world.cluster), *_records(world.cluster)]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def read(path: Path) -> list[Line]:
    """The lines of a file."""
    return [_decoder.decode(line) for line in path.read_bytes().splitlines()]


def load(world: System, lines: Iterable[Line]) -> None:
    """Have a world in which nothing has happened yet go on from there; its topics are made already."""
    for line in lines:
        match line:
            case At():
                world.clock.advance((line.now - world.clock.now()) / 1000)
            case Offset():
                at = TopicPartition(line.topic, line.partition)
                world.cluster.group(line.group).offsets[at] = Committed(line.offset, line.metadata)
            case Kept():
                _append(world.cluster.partition(TopicPartition(line.topic, line.partition)), line)
    _fill(world.cluster)


def _offsets(cluster: MemoryCluster) -> Iterator[Offset]:
    for name, group in cluster.groups.items():
        for at, committed in group.offsets.items():
            yield Offset(name, at.topic, at.partition, committed.offset, committed.metadata)


def _records(cluster: MemoryCluster) -> Iterator[Kept]:
    for topic in sorted(cluster.topics):
        for record in cluster.records(topic):
            yield _kept(record)


def _kept(record: Record) -> Kept:
    return Kept(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, record.headers
    )


def _append(partition: Partition, kept: Kept) -> None:
    """The record at its offset: in the place of what lay between, markers."""
    while partition.end < kept.offset:
        partition.mark(PLAIN, State.COMMITTED)
    partition.append(Outgoing(kept.topic, kept.partition, kept.key, kept.value, kept.headers), kept.timestamp)


def _fill(cluster: MemoryCluster) -> None:
    """Each partition to where a group has read: the last of a transaction is its marker."""
    for group in cluster.groups.values():
        for at, committed in group.offsets.items():
            partition = cluster.partition(at)
            while partition.end < committed.offset:
                partition.mark(PLAIN, State.COMMITTED)
