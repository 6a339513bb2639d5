"""Transactional and plain producers of the in-memory log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.broker.memory.group import Membership
from kafka_saga.broker.memory.log import MemoryLog
from kafka_saga.broker.memory.markers import Marker
from kafka_saga.broker.memory.partition import State, Transaction
from kafka_saga.broker.memory.sizes import CLIENT_MAX_BYTES, client_size
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import FencedError, TransactionAbortedError, TransactionInDoubtError
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.errors import ChoreographyError, UnavailableError


class MemoryProducer:
    """A transactional producer."""

    def __init__(self, log: MemoryLog, transactional_id: str) -> None:
        self.transactional_id = transactional_id
        self._log = log
        self._open: dict[TopicPartition, Transaction] | None = None
        self._fenced = False
        self._began = 0.0

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        """Write all records and commit all offsets, or nothing."""
        try:
            self.begin(outgoing)
            self.commit(offsets, group)
        except TransactionAbortedError:
            self.abort()
            raise
        except TransactionInDoubtError:  # the client is replaced, and a new one waits for the markers
            self.abort()
            self.complete()
            raise

    def begin(self, outgoing: Sequence[Outgoing]) -> None:
        """Write the records of a transaction, and leave it open: tests look at the log in between."""
        self._log.fault("before_begin")
        self._check()
        self.complete()
        self._began = self._log.clock.monotonic()
        self._open = {}
        for record in outgoing:
            self._write(record, self._open)
        self._log.fault("inside")

    def commit(self, offsets: Mapping[TopicPartition, Committed], group: object) -> None:
        """Commit what was begun, with these offsets: they count at once, since a group waits for pending ones."""
        self._check()
        self._log.fault("before_offsets")
        membership = self._current(group, offsets)
        self._log.fault("before_commit")
        self._check()
        if membership is not None:
            self._log.groups[membership.group].offsets.update(offsets)
        self._end(State.COMMITTED)
        self._log.fault("after_commit")

    def abort(self) -> None:
        """Roll back what is open."""
        self._end(State.ABORTED)

    def fence(self) -> None:
        """A successor with the same transactional.id has come: abort what is open, refuse the rest."""
        self._fenced = True
        self._end(State.ABORTED)

    def complete(self) -> None:
        """Have the markers of its last transaction written; until then Kafka answers CONCURRENT_TRANSACTIONS."""
        self._log.complete(self.transactional_id)

    def is_open_since(self, moment: float) -> bool:
        """Whether a transaction is open that began at or before `moment`, in the clock's seconds."""
        return self._open is not None and self._began <= moment

    def close(self) -> None:
        """Nothing to release."""

    def _check(self) -> None:
        if self._fenced:
            raise FencedError("another process uses this transactional.id: this one must stop")

    def _write(self, record: Outgoing, written: dict[TopicPartition, Transaction]) -> None:
        at = TopicPartition(record.topic, record.partition)
        try:
            partition = self._log.partition(at)
        except ChoreographyError as error:
            raise TransactionAbortedError(str(error)) from None
        transaction = written.setdefault(at, Transaction())
        if reason := _too_large(self._log, record):
            raise TransactionAbortedError(reason, of_record=True)
        partition.append(record, self._log.append_time(at), transaction)

    def _current(self, group: object, offsets: Mapping[TopicPartition, Committed]) -> Membership | None:
        if not offsets:
            return None
        match group:
            case Membership() if self._log.groups[group.group].is_current(group):
                return group
            case _:
                raise TransactionAbortedError("the group has moved on to another generation")

    def _end(self, state: State) -> None:
        written, self._open = self._open, None
        for at, transaction in (written or {}).items():
            self._log.mark(Marker(self.transactional_id, at, transaction, state))


class MemoryPublisher:
    """A plain producer."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def publish(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Record:
        """Write one record to the partition of its key, or to the next one in turn.

        Raises UnavailableError if it is too large.
        """
        partitions = self._log.partition_counts().get(topic, 0)
        number = next(self._log.round_robin) if key is None else partition_of(key, max(partitions, 1))
        at = TopicPartition(topic, number % max(partitions, 1))
        outgoing = Outgoing(topic, at.partition, key, value, headers)
        partition = self._log.partition(at)
        if reason := _too_large(self._log, outgoing):
            raise UnavailableError(reason)
        return partition.append(outgoing, self._log.append_time(at))

    def close(self) -> None:
        """Nothing to release."""


def _too_large(log: MemoryLog, record: Outgoing) -> str | None:
    """Why our client or the broker does not take a record; `None` if both do."""
    size = client_size(record)
    if size <= CLIENT_MAX_BYTES and log.takes(record, size):
        return None
    return f"a record of {size} bytes is too large for {record.topic}"
