"""The in-memory log as a cluster: topics, groups, producers, and the port's five roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from schemas.errors import ChoreographyError
from services.chassis.clock import Clock, VirtualClock
from services.chassis.memory.admin import MemoryAdmin
from services.chassis.memory.consumers import MemoryConsumer, MemoryReader, Portion, all_in_order
from services.chassis.memory.group import Group
from services.chassis.memory.partition import Partition
from services.chassis.memory.producers import MemoryProducer, MemoryPublisher
from services.chassis.port import Listener
from services.chassis.records import Record, TopicPartition
from topology.topics import TopicSpec

TRANSACTION_TIMEOUT = 10.0
"""Seconds after which the broker rolls back a transaction that nobody ends."""


def no_fault(point: str) -> None:
    """The default of a cluster's `fault` hook: nothing goes wrong."""


class MemoryCluster:
    """A Kafka in memory. `fault` is called at named points of a transaction and may raise, as a broker would.

    `portion` says what a poll returns: which of the partitions, in what order, and how many records of each.
    """

    def __init__(self, clock: Clock | None = None, fault: Callable[[str], None] = no_fault) -> None:
        self.clock = clock or VirtualClock()
        self.fault = fault
        self.portion: Portion = all_in_order
        self.topics: dict[str, list[Partition]] = {}
        self.specs: dict[str, TopicSpec] = {}
        self.groups: dict[str, Group] = {}
        self.producers: dict[str, MemoryProducer] = {}
        self.round_robin = count()

    def consumer(
        self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None
    ) -> MemoryConsumer:
        """A new member of `group`."""
        return MemoryConsumer(self, self.group(group), topics, listener)

    def group(self, name: str) -> Group:
        """The consumer group of that name, made if there is none."""
        return self.groups.setdefault(name, Group(name))

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A transactional producer that fences its predecessor."""
        if before := self.producers.get(transactional_id):
            before.fence()
        self.producers[transactional_id] = MemoryProducer(self)
        return self.producers[transactional_id]

    def reader(self) -> MemoryReader:
        """A reader without a group."""
        return MemoryReader(self)

    def publisher(self) -> MemoryPublisher:
        """A plain producer."""
        return MemoryPublisher(self)

    def admin(self) -> MemoryAdmin:
        """Topics and offsets."""
        return MemoryAdmin(self)

    def partition(self, at: TopicPartition) -> Partition:
        """One partition. Raises ChoreographyError if there is none."""
        try:
            return self.topics[at.topic][at.partition]
        except (KeyError, IndexError):
            raise ChoreographyError(f"{at.topic}[{at.partition}] does not exist: create the topic first") from None

    def partition_counts(self) -> Mapping[str, int]:
        """How many partitions each topic has."""
        return {topic: len(partitions) for topic, partitions in self.topics.items()}

    def records(self, topic: str) -> list[Record]:
        """Every committed record of a topic, in the order of log time (ties by partition)."""
        found = [record for partition in self.topics.get(topic, ()) for record in partition.visible_from(0)]
        return sorted(found, key=lambda record: (record.timestamp, record.partition, record.offset))

    def expire_transactions(self, seconds: float = TRANSACTION_TIMEOUT) -> None:
        """Roll back what has been open for longer, and fence whoever left it (source: transaction.timeout.ms)."""
        until = self.clock.monotonic() - seconds
        for producer in self.producers.values():
            if producer.is_open_since(until):
                producer.fence()

    def compact(self, topics: Iterable[str]) -> None:
        """Run the log cleaner on these topics."""
        for topic in topics:
            for partition in self.topics[topic]:
                partition.compact()
