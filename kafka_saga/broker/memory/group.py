"""A consumer group in memory: the eager protocol with the range assignor, and offsets that transactions commit.

A rebalance takes two polls of each member: the first revokes and joins, and once all have joined (or their session
has ended) the second assigns. The generation fences whoever was left out. A static member (KIP-345) keeps its
assignment until its session ends; a member with the same instance takes its place, and fences it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from kafka_saga.broker.memory.partition import ChangeCounter
from kafka_saga.broker.records import Committed, TopicPartition

SESSION_TIMEOUT = 10.0
"""Seconds without a poll after which a member is taken for dead."""


@dataclass(slots=True)
class Member:
    """One consumer as its group sees it."""

    id: int
    topics: tuple[str, ...]
    seen: float
    instance: str | None = None
    joined: int = -1
    assigned: tuple[TopicPartition, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """What fences a transaction's offsets: group, member and generation."""

    group: str
    member: int
    generation: int


@dataclass(slots=True)
class Group:
    """Members, generation and committed offsets of one group."""

    name: str
    version: ChangeCounter = field(default_factory=ChangeCounter)
    generation: int = 0
    stable: bool = True
    members: dict[int, Member] = field(default_factory=dict)
    offsets: dict[TopicPartition, Committed] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def join(self, topics: Sequence[str], now: float, instance: str | None = None) -> Member:
        """A new member; everybody has to join again, unless it takes the place of a static member as it was."""
        member = Member(next(self._ids), tuple(sorted(topics)), now, instance)
        before = self._static(instance)
        if before is not None:
            self._replace(before, member)
        else:
            self._rebalance()
        self.members[member.id] = member
        return member

    def leave(self, member: Member) -> None:
        """The member goes; everybody else has to join again."""
        if self.members.pop(member.id, None):
            self._rebalance()

    def expire(self, now: float) -> None:
        """Drop members whose session has ended."""
        if self.has_expired(now):
            for member in [m for m in self.members.values() if now - m.seen > SESSION_TIMEOUT]:
                self.leave(member)

    def has_expired(self, now: float) -> bool:
        """Whether the session of a member has ended."""
        return bool(self.members) and now - min([member.seen for member in self.members.values()]) > SESSION_TIMEOUT

    def is_fenced(self, member: Member) -> bool:
        """Whether another member has taken the place of this one (Kafka: FENCED_INSTANCE_ID)."""
        return member.id not in self.members and self._static(member.instance) is not None

    def rejoin(self, member: Member, partitions: Mapping[str, int]) -> None:
        """The member has revoked what it had; the last one to join completes the rebalance."""
        member.joined = self.generation
        self.version.number += 1
        if all(m.joined == self.generation for m in self.members.values()):
            self._assign(partitions)
            self.stable = True

    def is_current(self, membership: Membership) -> bool:
        """Whether offsets of this membership may be committed (an older generation may not)."""
        member = self.members.get(membership.member)
        return member is not None and member.joined == membership.generation

    def _static(self, instance: str | None) -> Member | None:
        """The member of this instance, if there is one."""
        if instance is None:
            return None
        return next((member for member in self.members.values() if member.instance == instance), None)

    def _replace(self, before: Member, member: Member) -> None:
        """A stable group goes on as it is, with one assignment in other hands (KIP-345: the subscription is equal)."""
        del self.members[before.id]
        self.version.number += 1
        if self.stable and before.topics == member.topics:
            member.joined, member.assigned = before.joined, before.assigned
        elif self.stable:
            self._rebalance()

    def _rebalance(self) -> None:
        self.generation += 1
        self.stable = False
        self.version.number += 1

    def _assign(self, partitions: Mapping[str, int]) -> None:
        for member in self.members.values():
            member.assigned = ()
        for topic in sorted({topic for m in self.members.values() for topic in m.topics}):
            takers = sorted((m for m in self.members.values() if topic in m.topics), key=_rank)
            self._assign_range(topic, partitions[topic], takers)

    def _assign_range(self, topic: str, partitions: int, takers: Sequence[Member]) -> None:
        """Consecutive partitions to consecutive members (source: Kafka's RangeAssignor)."""
        each, more = divmod(partitions, len(takers))
        first = 0
        for position, member in enumerate(takers):
            share = each + (position < more)
            own = tuple(TopicPartition(topic, number) for number in range(first, first + share))
            member.assigned += own
            first += share


def _rank(member: Member) -> tuple[str, int]:
    """The order that the assignor takes members in: a static member keeps its place through a restart."""
    return (member.instance or "", member.id)
