"""Consumers, producers, readers and admin of the in-memory log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from services.chassis.memory.group import Group, Membership
from services.chassis.memory.partition import Partition, State, Transaction
from services.chassis.partitioner import partition_of
from services.chassis.port import FencedError, Listener, TransactionAbortedError
from services.chassis.records import Committed, Outgoing, Record, TopicPartition
from topology.topics import TopicSpec, differences

if TYPE_CHECKING:
    from services.chassis.memory.cluster import MemoryCluster


class Positions:
    """Where a reader of several partitions stands; reads them in turn."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        self._positions = {at: offset or 0 for at, offset in positions.items()}

    def read(self, limit: int) -> list[Record]:
        """Up to `limit` visible records, partition by partition."""
        found: list[Record] = []
        for at, offset in self._positions.items():
            if at not in self.paused and len(found) < limit:
                found += self._read(at, offset, limit - len(found))
        return found

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions of which nothing visible is left."""
        return frozenset(at for at, offset in self._positions.items() if self._is_at_end(at, offset))

    def _is_at_end(self, at: TopicPartition, offset: int) -> bool:
        return next(self._cluster.partition(at).visible_from(offset), None) is None

    def _read(self, at: TopicPartition, offset: int, limit: int) -> list[Record]:
        records: list[Record] = []
        for record in self._cluster.partition(at).visible_from(offset):
            if len(records) == limit:
                break
            records.append(record)
        if records:
            self._positions[at] = records[-1].offset + 1
        return records


class MemoryReader:
    """A reader without a group."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._positions = Positions(cluster)

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Read these partitions from these offsets on."""
        self._positions.assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records."""
        return self._positions.read(limit)

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions read to their end."""
        return self._positions.ended()

    def close(self) -> None:
        """Nothing to release."""


class MemoryConsumer:
    """A member of a group; takes part in rebalances when it polls."""

    def __init__(self, cluster: MemoryCluster, group: Group, topics: Sequence[str], listener: Listener) -> None:
        self._cluster = cluster
        self._group = group
        self._listener = listener
        self._positions = Positions(cluster)
        self._member = group.join(topics, cluster.clock.monotonic())
        self._assigned_in = -1

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records, after whatever the group asks for."""
        now = self._cluster.clock.monotonic()
        self._group.expire(now)
        self._come_back(now)
        self._member.seen = now
        self._take_part()
        return self._positions.read(limit) if self._assigned_in == self._group.generation else []

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """What the group has committed."""
        return {at: self._group.offsets[at] for at in partitions if at in self._group.offsets}

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Start at these offsets, paused."""
        self._positions.assign(positions)
        self._positions.paused = set(positions)

    def unassign(self) -> None:
        """Give up all partitions."""
        self._positions.assign({})

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver nothing of these."""
        self._positions.paused.update(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver these again."""
        self._positions.paused.difference_update(partitions)

    def group_metadata(self) -> Membership:
        """Group, member and generation."""
        return Membership(self._group.name, self._member.id, self._member.joined)

    def close(self) -> None:
        """Revoke and leave."""
        if self._member.assigned and self._member.id in self._group.members:
            self._listener.on_revoke(self._member.assigned)
        self._group.leave(self._member)

    def _come_back(self, now: float) -> None:
        """A member that was taken for dead has lost everything, and joins as a new one."""
        if self._member.id not in self._group.members:
            lost, self._member = self._member.assigned, self._group.join(self._member.topics, now)
            self._positions.assign({})
            if lost:
                self._listener.on_lost(lost)

    def _take_part(self) -> None:
        if not self._group.stable and self._member.joined != self._group.generation:
            self._rejoin()
        if self._group.stable and self._assigned_in != self._group.generation:
            self._assigned_in = self._group.generation
            self._listener.on_assign(self._member.assigned)

    def _rejoin(self) -> None:
        if self._member.assigned:
            self._listener.on_revoke(self._member.assigned)
            self._member.assigned = ()
        self._group.rejoin(self._member, self._cluster.partition_counts())


class MemoryProducer:
    """A transactional producer."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._open: tuple[Transaction, list[Partition]] | None = None
        self._fenced = False

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        """Write all records and commit all offsets, or nothing."""
        self._check()
        transaction = Transaction()
        touched = self._write(transaction, outgoing)
        self._cluster.fault("before_offsets")
        membership = self._current(group, offsets)
        self._cluster.fault("before_commit")
        self._check()
        if membership is not None:
            self._cluster.groups[membership.group].offsets.update(offsets)
        self._end(transaction, touched, State.COMMITTED)
        self._cluster.fault("after_commit")

    def fence(self) -> None:
        """A successor with the same transactional.id has come: abort what is open, refuse the rest."""
        self._fenced = True
        if self._open:
            self._end(*self._open, State.ABORTED)

    def close(self) -> None:
        """Nothing to release."""

    def _check(self) -> None:
        if self._fenced:
            raise FencedError("another process uses this transactional.id: this one must stop")

    def _write(self, transaction: Transaction, outgoing: Sequence[Outgoing]) -> list[Partition]:
        touched: dict[TopicPartition, Partition] = {}
        self._open = (transaction, [])
        for record in outgoing:
            at = TopicPartition(record.topic, record.partition)
            touched[at] = self._cluster.partition(at)
            self._open = (transaction, list(touched.values()))
            touched[at].append(record, self._cluster.clock.now(), transaction)
        self._cluster.fault("inside")
        return list(touched.values())

    def _current(self, group: object, offsets: Mapping[TopicPartition, Committed]) -> Membership | None:
        if not offsets:
            return None
        match group:
            case Membership() if self._cluster.groups[group.group].is_current(group):
                return group
            case _:
                self._abort()
                raise TransactionAbortedError("the group has moved on to another generation")

    def _abort(self) -> None:
        if self._open:
            self._end(*self._open, State.ABORTED)

    def _end(self, transaction: Transaction, touched: Sequence[Partition], state: State) -> None:
        transaction.state = state
        for partition in touched:
            partition.mark(transaction)
        self._open = None


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


class MemoryAdmin:
    """Topics and offsets."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    def create_missing(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create the topics that do not exist."""
        missing = [spec for spec in specs if spec.name not in self._cluster.topics]
        for spec in missing:
            self._cluster.topics[spec.name] = [Partition(spec.name, number) for number in range(spec.partitions)]
            self._cluster.specs[spec.name] = spec
        return tuple(spec.name for spec in missing)

    def differences(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """What differs between the topics that exist and their specs."""
        found = [(spec, self._cluster.specs[spec.name]) for spec in specs if spec.name in self._cluster.specs]
        return tuple(
            sentence
            for spec, actual in found
            for sentence in differences(spec, actual.config, actual.partitions)
        )

    def partitions(self, topics: Sequence[str]) -> Mapping[str, int]:
        """The partition counts of those that exist."""
        return {topic: n for topic, n in self._cluster.partition_counts().items() if topic in topics}

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """One past the last written record."""
        return {at: self._cluster.partition(at).end for at in partitions}
