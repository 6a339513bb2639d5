"""Consumers and readers of the in-memory log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from kafka_saga.broker.memory.group import Group, Membership
from kafka_saga.broker.memory.log import MemoryLog
from kafka_saga.broker.memory.partition import Partition
from kafka_saga.broker.port import Listener
from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.errors import UnavailableError


class Cursor:
    """Where a reader of one partition stands; a read that finds nothing passes over what nobody sees."""

    __slots__ = ("_empty_to", "_offset", "_partition")

    def __init__(self, partition: Partition, offset: int) -> None:
        self._partition = partition
        self._offset = offset
        self._empty_to = offset

    def read(self, limit: int) -> Sequence[Record]:
        """Up to `limit` visible records."""
        if self.is_at_end:
            self.pass_over()
            return ()
        records = list(islice(self._partition.visible_from(self._offset), limit))
        if records:
            self._offset = self._empty_to = records[-1].offset + 1
        return records

    def pass_over(self) -> None:
        """Stand behind what is known to hold nothing visible."""
        self._offset = self._empty_to

    @property
    def is_at_end(self) -> bool:
        """Whether nothing visible is left."""
        stable = self._partition.last_stable
        if self._empty_to >= stable:
            return True
        if next(self._partition.visible_from(self._empty_to), None) is not None:
            return False
        self._empty_to = stable
        return True

    @property
    def passed(self) -> int:
        """The offset up to which everything has been read, or passed over at the end."""
        return self._empty_to if self.is_at_end else self._offset


class Positions:
    """Where a reader of several partitions stands; reads them in turn."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._cursors: dict[TopicPartition, Cursor] = {}
        self._readable: list[TopicPartition] = []
        self._paused: set[TopicPartition] = set()
        self._touched: set[TopicPartition] = set()
        self._drained_at: int | None = None

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Start over at these offsets; what is paused stays so."""
        self._cursors = {at: Cursor(self._log.partition(at), offset or 0) for at, offset in positions.items()}
        self._touched.clear()
        self._drained_at = None
        self._regulate()

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Read nothing of these."""
        self._paused.update(partitions)
        self._regulate()

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these again."""
        self._paused.difference_update(partitions)
        self._regulate()

    def read(self, limit: int) -> list[Record]:
        """Up to `limit` visible records, partition by partition."""
        found: list[Record] = []
        for at, most in self._log.portion(self._readable, limit):
            if len(found) < limit:
                self._touched.add(at)
                found += self._cursors[at].read(min(most, limit - len(found)))
        return found

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions of which nothing visible is left."""
        return frozenset([at for at, cursor in self._cursors.items() if cursor.is_at_end])

    def passed(self) -> Mapping[TopicPartition, int]:
        """How far those have been read that have been read at all."""
        return {at: self._cursors[at].passed for at in self._touched}

    def is_drained(self) -> bool:
        """Whether nothing visible is left, of what is paused neither; looks again only if something has changed."""
        version = self._log.version.number
        if self._drained_at != version and all(cursor.is_at_end for cursor in self._cursors.values()):
            self._drained_at = version
        return self._drained_at == version

    def pass_over(self, limit: int) -> None:
        """As `read`, where nothing visible is left."""
        for at, _ in self._log.portion(self._readable, limit):
            self._touched.add(at)
            self._cursors[at].pass_over()

    def _regulate(self) -> None:
        self._readable = [at for at in self._cursors if at not in self._paused]


class MemoryReader:
    """A reader without a group."""

    def __init__(self, log: MemoryLog) -> None:
        self._positions = Positions(log)

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Read these partitions from these offsets on."""
        self._positions.assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records."""
        return self._positions.read(limit)

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions read to their end."""
        return self._positions.ended()

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far they have been read."""
        return self._positions.passed()

    def has_nothing(self) -> bool:
        """Whether a poll would return nothing."""
        return self._positions.is_drained()

    def pass_over(self, limit: int) -> None:
        """As a poll, if it `has_nothing`."""
        self._positions.pass_over(limit)

    def close(self) -> None:
        """Nothing to release."""


class MemoryConsumer:
    """A member of a group; takes part in rebalances when it polls."""

    def __init__(
        self,
        log: MemoryLog,
        group: Group,
        topics: Sequence[str],
        listener: Listener,
        instance: str | None = None,
    ) -> None:
        self._log = log
        self._group = group
        self._listener = listener
        self._positions = Positions(log)
        self._member = group.join(topics, log.clock.monotonic(), instance)
        self._assigned_in = -1

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """Up to `limit` records, after whatever the group asks for.

        Raises UnavailableError, as our Kafka adapter does, if a later member has the same instance.
        """
        now = self._log.clock.monotonic()
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
        self._positions.pause(positions)

    def unassign(self) -> None:
        """Give up all partitions."""
        self._positions.assign({})

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver nothing of these."""
        self._positions.pause(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Deliver these again."""
        self._positions.resume(partitions)

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far they have been read."""
        return self._positions.passed()

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions read to their end."""
        return self._positions.ended()

    def rejoin(self) -> None:
        """Give up everything, and join with a new client, which takes the place of a static member."""
        self._leave()
        self._join_anew(self._log.clock.monotonic())

    def group_metadata(self) -> Membership:
        """Group, member and generation."""
        return Membership(self._group.name, self._member.id, self._member.joined)

    def beat(self) -> None:
        """The process lives, though it does not poll just now: as the client's own thread tells the group."""
        self._member.seen = self._log.clock.monotonic()

    def has_nothing(self) -> bool:
        """Whether a poll would return nothing and call nobody."""
        group, now = self._group, self._log.clock.monotonic()
        if not group.stable or self._assigned_in != group.generation or self._member.id not in group.members:
            return False
        return not group.has_expired(now) and self._positions.is_drained()

    def pass_over(self, limit: int) -> None:
        """As a poll, if it `has_nothing`."""
        self._member.seen = self._log.clock.monotonic()
        self._positions.pass_over(limit)

    def close(self) -> None:
        """Revoke and leave; a static member stays in the group until its session ends."""
        if self._member.assigned and self._member.id in self._group.members:
            self._listener.on_revoke(self._member.assigned)
        self._leave()

    def _leave(self) -> None:
        """Source: librdkafka, rd_kafka_cgrp_leave_maybe: static members send no LeaveGroup."""
        if self._member.instance is None:
            self._group.leave(self._member)

    def _come_back(self, now: float) -> None:
        """A member that was taken for dead has lost everything, and joins as a new one."""
        if self._member.id not in self._group.members:
            self._check()
            self._join_anew(now)

    def _check(self) -> None:
        if self._group.is_fenced(self._member):
            raise UnavailableError(f"another member of {self._group.name} is {self._member.instance} now")

    def _join_anew(self, now: float) -> None:
        before, self._assigned_in = self._member, -1
        self._member = self._group.join(before.topics, now, before.instance)
        self._positions.assign({})
        if before.assigned:
            self._listener.on_lost(before.assigned)

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
        self._group.rejoin(self._member, self._log.partition_counts())
