"""Transactional and plain producers of the in-memory log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from schemas.errors import ChoreographyError
from services.chassis.memory.group import Membership
from services.chassis.memory.partition import Partition, State, Transaction
from services.chassis.partitioner import partition_of
from services.chassis.port import FencedError, TransactionAbortedError, TransactionInDoubtError
from services.chassis.records import Committed, Outgoing, Record, TopicPartition

if TYPE_CHECKING:
    from services.chassis.memory.cluster import MemoryCluster


DEFAULT_MAX_MESSAGE_BYTES = 1_048_588


class MemoryProducer:
    """A transactional producer."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._open: tuple[Transaction, list[Partition]] | None = None
        self._fenced = False
        self._began = 0.0

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        """Write all records and commit all offsets, or nothing."""
        try:
            self.begin(outgoing)
            self.commit(offsets, group)
        except (TransactionAbortedError, TransactionInDoubtError):
            self.abort()
            raise

    def begin(self, outgoing: Sequence[Outgoing]) -> None:
        """Write the records of a transaction, and leave it open: tests look at the log in between."""
        self._cluster.fault("before_begin")
        self._check()
        self._began = self._cluster.clock.monotonic()
        transaction, touched = Transaction(), dict[TopicPartition, Partition]()
        for record in outgoing:
            at = TopicPartition(record.topic, record.partition)
            if at not in touched:
                touched[at] = self._written(at)
                self._open = (transaction, list(touched.values()))
            self._check_size(record)
            touched[at].append(record, self._cluster.clock.now(), transaction)
        self._open = (transaction, list(touched.values()))
        self._cluster.fault("inside")

    def commit(self, offsets: Mapping[TopicPartition, Committed], group: object) -> None:
        """Commit what was begun, with these offsets."""
        self._check()
        self._cluster.fault("before_offsets")
        membership = self._current(group, offsets)
        self._cluster.fault("before_commit")
        self._check()
        if membership is not None:
            self._cluster.groups[membership.group].offsets.update(offsets)
        self._end(State.COMMITTED)
        self._cluster.fault("after_commit")

    def abort(self) -> None:
        """Roll back what is open."""
        self._end(State.ABORTED)

    def fence(self) -> None:
        """A successor with the same transactional.id has come: abort what is open, refuse the rest."""
        self._fenced = True
        self._end(State.ABORTED)

    def is_open_since(self, moment: float) -> bool:
        """Whether a transaction is open that began at or before `moment`, in the clock's seconds."""
        return self._open is not None and self._began <= moment

    def close(self) -> None:
        """Nothing to release."""

    def _check(self) -> None:
        if self._fenced:
            raise FencedError("another process uses this transactional.id: this one must stop")

    def _check_size(self, record: Outgoing) -> None:
        """Source: Kafka's topic setting max.message.bytes, which bounds a batch; here each record is one."""
        most = int(self._cluster.specs[record.topic].config.get("max.message.bytes", DEFAULT_MAX_MESSAGE_BYTES))
        headers = sum(len(name) + len(value or b"") for name, value in record.headers)  # Kafka has null headers
        size = len(record.key or b"") + len(record.value or b"") + headers
        if size > most:
            raise TransactionAbortedError(f"a record of {size} bytes is too large for {record.topic}", of_record=True)

    def _written(self, at: TopicPartition) -> Partition:
        try:
            return self._cluster.partition(at)
        except ChoreographyError as error:
            raise TransactionAbortedError(str(error)) from None

    def _current(self, group: object, offsets: Mapping[TopicPartition, Committed]) -> Membership | None:
        if not offsets:
            return None
        match group:
            case Membership() if self._cluster.groups[group.group].is_current(group):
                return group
            case _:
                raise TransactionAbortedError("the group has moved on to another generation")

    def _end(self, state: State) -> None:
        if self._open is None:
            return
        transaction, touched = self._open
        self._open = None
        transaction.state = state
        for partition in touched:
            partition.mark(transaction)


class MemoryPublisher:
    """A plain producer."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    def publish(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Record:
        """Write one record to the partition of its key, or to the next one in turn."""
        partitions = self._cluster.partition_counts().get(topic, 0)
        number = next(self._cluster.round_robin) if key is None else partition_of(key, max(partitions, 1))
        at = TopicPartition(topic, number % max(partitions, 1))
        outgoing = Outgoing(topic, at.partition, key, value, headers)
        return self._cluster.partition(at).append(outgoing, self._cluster.clock.now())

    def close(self) -> None:
        """Nothing to release."""
