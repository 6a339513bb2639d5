"""What the framework reads and writes: records, where they lie, and what is committed about them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

Headers = list[tuple[str, bytes]]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as read. `timestamp` is the broker's log append time, in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return (self.topic, self.partition, self.offset)

    @property
    def where(self) -> str:
        """The place of the record, as people write it: `topic[partition]@offset`."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def emptied(self) -> Record:
        """The record without what it carries: of one that waits for its commit only the place counts."""
        return Record(self.topic, self.partition, self.offset, self.timestamp, self.key, None, [])


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One record to write. The partition is always explicit: that of the task, or of the key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Committed(msgspec.Struct, frozen=True, gc=False):
    """What a group has committed for a partition: the next offset to read, and up to 4,096 characters about it."""

    offset: int
    metadata: str = ""
