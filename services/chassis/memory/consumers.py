"""Consumers and readers of the in-memory log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from services.chassis.memory.group import Group, Membership
from services.chassis.port import Listener
from services.chassis.records import Committed, Record, TopicPartition

if TYPE_CHECKING:
    from services.chassis.memory.cluster import MemoryCluster


Portion = Callable[[Sequence[TopicPartition], int], Iterable[tuple[TopicPartition, int]]]
"""Of partitions that may be read and a limit: which are read, in what order, and how many records of each at most."""


def all_in_order(partitions: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
    """The default: every partition in turn, as much as there is."""
    return ((at, limit) for at in partitions)


class Positions:
    """Where a reader of several partitions stands; reads them in turn."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._positions: dict[TopicPartition, int] = {}
        self._touched: set[TopicPartition] = set()
        self.paused: set[TopicPartition] = set()

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Start over at these offsets."""
        self._positions = {at: offset or 0 for at, offset in positions.items()}
        self._touched.clear()

    def read(self, limit: int) -> list[Record]:
        """Up to `limit` visible records, partition by partition."""
        found: list[Record] = []
        readable = [at for at in self._positions if at not in self.paused]
        for at, most in self._cluster.portion(readable, limit):
            if len(found) < limit:
                self._touched.add(at)
                found += self._read(at, self._positions[at], min(most, limit - len(found)))
        return found

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions of which nothing visible is left."""
        return frozenset(at for at, offset in self._positions.items() if self._is_at_end(at, offset))

    def passed(self) -> Mapping[TopicPartition, int]:
        """How far those have been read that have been read at all."""
        return {at: self._passed(at, self._positions[at]) for at in self._touched}

    def _passed(self, at: TopicPartition, offset: int) -> int:
        return max(offset, self._cluster.partition(at).last_stable) if self._is_at_end(at, offset) else offset

    def _is_at_end(self, at: TopicPartition, offset: int) -> bool:
        return next(self._cluster.partition(at).visible_from(offset), None) is None

    def _read(self, at: TopicPartition, offset: int, limit: int) -> list[Record]:
        records = list(islice(self._cluster.partition(at).visible_from(offset), limit))
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

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far they have been read."""
        return self._positions.passed()

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

    def positions(self) -> Mapping[TopicPartition, int]:
        """How far they have been read."""
        return self._positions.passed()

    def ended(self) -> frozenset[TopicPartition]:
        """The partitions read to their end."""
        return self._positions.ended()

    def rejoin(self) -> None:
        """Leave, and come back as somebody new."""
        self._group.leave(self._member)
        self._come_back(self._cluster.clock.monotonic())

    def group_metadata(self) -> Membership:
        """Group, member and generation."""
        return Membership(self._group.name, self._member.id, self._member.joined)

    def beat(self) -> None:
        """The process lives, though it does not poll just now: as the client's own thread tells the group."""
        if self._member.id in self._group.members:
            self._member.seen = self._cluster.clock.monotonic()

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
