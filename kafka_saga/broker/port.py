"""The narrow port to Kafka: what the framework needs of a log, and nothing else.

Two implementations: `kafka_saga.broker.kafka` (the real one) and `kafka_saga.broker.memory` (partitions, groups,
transactions and compaction in memory, under a virtual clock). One contract suite runs on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import TopicSpec
from kafka_saga.errors import ChoreographyError


class TransactionAbortedError(ChoreographyError):
    """A transaction was rolled back; the same work may be committed again if its partitions are still ours.

    `of_record`: one of its records is to blame, so the same batch will be refused again.
    """

    def __init__(self, reason: str, *, of_record: bool = False) -> None:
        super().__init__(reason)
        self.of_record = of_record


class TransactionInDoubtError(ChoreographyError):
    """Nobody knows whether a transaction was committed: only what the group has committed can tell, so join it anew."""


class FencedError(ChoreographyError):
    """Another process has taken this one's place: it must exit."""


class Listener(Protocol):
    """What a group consumer calls from inside `poll` while partitions come and go; must be quick."""

    def on_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions are now ours; the listener looks up what is committed and calls `assign`."""

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions are about to go: the last moment to commit."""

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions have gone: nothing can be committed any more."""


class Consumer(Protocol):
    """A member of a consumer group, reading committed records only."""

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records as soon as there is one, none after `timeout` seconds; may call the listener."""

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """What the group has committed; waits for offsets of pending transactions."""

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Read from these offsets on (none: from the beginning), paused until resumed."""

    def unassign(self) -> None:
        """Give up all partitions, in the listener."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver nothing of these until resumed."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver these again, from where they were."""

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far the assigned partitions have been read, markers and aborted records that were passed over included.

        Held against `Admin.end_offsets`; a partition of which nothing has come since its assignment is not listed.
        """

    def rejoin(self) -> None:
        """Give up all partitions as lost, and join the group anew."""

    def ended(self) -> frozenset[TopicPartition]:
        """The assigned partitions of which everything that was there has been returned."""

    def group_metadata(self) -> object:
        """The membership that a transaction's offsets are fenced by (KIP-447)."""

    def close(self) -> None:
        """Leave the group."""


class Producer(Protocol):
    """A transactional producer."""

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        """Write all records and commit all offsets, or nothing.

        Raises TransactionAbortedError if it was rolled back, TransactionInDoubtError if that cannot be known here,
        FencedError if this process has to exit.
        """

    def close(self) -> None:
        """Release the connection."""


class Reader(Protocol):
    """A reader without a group, of committed records: changelogs, control, records by reference."""

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Read these partitions from these offsets on (none: from the beginning)."""

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records as soon as there is one, none after `timeout` seconds."""

    def ended(self) -> frozenset[TopicPartition]:
        """The assigned partitions of which everything that was there has been returned."""

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far the assigned partitions have been read, markers and aborted records that were passed over included.

        Held against `Admin.end_offsets`; a partition of which nothing has come yet is not listed.
        """

    def close(self) -> None:
        """Release the connection."""


class Admin(Protocol):
    """Topics, and how far they reach."""

    def create_missing(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create the topics that do not exist, and return their names; harmless when done twice at once."""

    def differences(self, specs: Sequence[TopicSpec], beside: str | None = None) -> tuple[str, ...]:
        """What differs between the topics that exist and their specs, as sentences.

        `beside` names a topic that has the partition count of the specs, to be named where one has another.
        """

    def partitions(self, topics: Sequence[str]) -> Mapping[str, int]:
        """The partition counts of those of `topics` that exist."""

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """One past the last written record (high watermark, uncommitted ones included)."""

    def undecided(self, partitions: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        """Where committed readers stand still: the partitions in which a transaction that has written before a time

        (milliseconds UTC, log time) has not ended, and the offset from which on nobody reads.
        """


class Publisher(Protocol):
    """A plain idempotent producer, for people and tools."""

    def publish(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Record:
        """Write one record to the partition of its key (murmur2; none: any); returns it as it was written."""

    def close(self) -> None:
        """Release the connection."""


class Cluster(Protocol):
    """A log to work on: where consumers, producers and readers come from. Raises UnavailableError if out of reach."""

    def consumer(self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None) -> Consumer:
        """A new member of `group`, subscribed to `topics`; `instance` makes its membership static."""

    def producer(self, transactional_id: str) -> Producer:
        """A transactional producer; an open transaction of its predecessor is aborted."""

    def reader(self) -> Reader:
        """A reader without a group."""

    def publisher(self) -> Publisher:
        """A plain producer."""

    def admin(self) -> Admin:
        """Topics and offsets."""
