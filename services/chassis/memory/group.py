"""A consumer group in memory: the eager protocol with the range assignor, and offsets that transactions commit.

A rebalance takes two polls of each member: the first revokes and joins, and once all have joined (or their session
has ended) the second assigns. The generation fences whoever was left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from services.chassis.records import Committed, TopicPartition

SESSION_TIMEOUT = 10.0
"""Seconds without a poll after which a member is taken for dead."""


@dataclass(slots=True)
class Member:
    """One consumer as its group sees it."""

    id: int
    topics: tuple[str, ...]
    seen: float
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
    generation: int = 0
    stable: bool = True
    members: dict[int, Member] = field(default_factory=dict)
    offsets: dict[TopicPartition, Committed] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def join(self, topics: Sequence[str], now: float) -> Member:
        """A new member; everybody has to join again."""
        member = Member(next(self._ids), tuple(sorted(topics)), now)
        self.members[member.id] = member
        self._rebalance()
        return member

    def leave(self, member: Member) -> None:
        """The member goes; everybody else has to join again."""
        if self.members.pop(member.id, None):
            self._rebalance()

    def expire(self, now: float) -> None:
        """Drop members whose session has ended."""
        for member in [m for m in self.members.values() if now - m.seen > SESSION_TIMEOUT]:
            self.leave(member)

    def rejoin(self, member: Member, partitions: Mapping[str, int]) -> None:
        """The member has revoked what it had; the last one to join completes the rebalance."""
        member.joined = self.generation
        if all(m.joined == self.generation for m in self.members.values()):
            self._assign(partitions)
            self.stable = True

    def is_current(self, membership: Membership) -> bool:
        """Whether offsets of this membership may be committed (an older generation may not)."""
        member = self.members.get(membership.member)
        return member is not None and member.joined == membership.generation

    def _rebalance(self) -> None:
        self.generation += 1
        self.stable = False

    def _assign(self, partitions: Mapping[str, int]) -> None:
        for member in self.members.values():
            member.assigned = ()
        for topic in sorted({topic for m in self.members.values() for topic in m.topics}):
            takers = sorted((m for m in self.members.values() if topic in m.topics), key=lambda m: m.id)
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
