"""The in-memory log as its brokers keep it: topics, groups, and the transactions that end in each partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import merge
from itertools import count

from kafka_saga.broker.clock import Clock, VirtualClock
from kafka_saga.broker.memory.group import Group
from kafka_saga.broker.memory.markers import Marker, MarksAtOnce, always
from kafka_saga.broker.memory.partition import ChangeCounter, Partition
from kafka_saga.broker.memory.sizes import TOPIC_MAX_BYTES, client_size, fits
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import TopicSpec
from kafka_saga.errors import ChoreographyError

ClockOffsets = Callable[[str, int], int]
"""Of a topic and a partition number: by how many milliseconds the clock of the partition's leader is off."""

Portion = Callable[[Sequence[TopicPartition], int], Iterable[tuple[TopicPartition, int]]]
"""Of partitions that may be read and a limit: which are read, in what order, and how many records of each at most."""

RETENTION = 7 * 24 * 3_600_000
"""Kafka's default of the topic setting `retention.ms`."""


def all_in_order(partitions: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
    """The default: every partition in turn, as much as there is."""
    return [(at, limit) for at in partitions]


def no_fault(point: str) -> None:
    """The default of a cluster's `fault` hook: nothing goes wrong."""


def no_offset(topic: str, number: int) -> int:
    """The default of a cluster's `clock_offsets` hook: every broker's clock is right."""
    return 0


class MemoryLog:
    """What the brokers of a Kafka in memory keep. `fault` is called at named points of a transaction and may raise.

    `portion` says what a poll returns: which of the partitions, in what order, and how many records of each.
    `marks_at_once` says where the marker of a transaction is written when it ends; `write_pending_markers` writes the
    others. `clock_offsets` says how far off the clock is that stamps a partition's records; it may go back.
    """

    def __init__(self, clock: Clock | None = None, fault: Callable[[str], None] = no_fault) -> None:
        self.clock = clock or VirtualClock()
        self.fault = fault
        self.portion: Portion = all_in_order
        self.marks_at_once: MarksAtOnce = always
        self.clock_offsets: ClockOffsets = no_offset
        self.version = ChangeCounter()
        self.pending_markers: list[Marker] = []
        self.topics: dict[str, list[Partition]] = {}
        self.specs: dict[str, TopicSpec] = {}
        self.groups: dict[str, Group] = {}
        self.round_robin = count()

    def group(self, name: str) -> Group:
        """The consumer group of that name, made if there is none."""
        return self.groups.setdefault(name, Group(name, self.version))

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
        found = [partition.visible_from(0) for partition in self.topics.get(topic, ())]
        return list(merge(*found, key=lambda record: (record.timestamp, record.partition)))

    def append_time(self, at: TopicPartition) -> int:
        """The time of the leader of a partition, milliseconds UTC: the log append time of what is written there now."""
        return self.clock.now() + self.clock_offsets(at.topic, at.partition)

    def takes(self, record: Outgoing, size: int) -> bool:
        """Whether a record of this client size fits into its topic once it is compressed."""
        most = int(self.specs[record.topic].config.get("max.message.bytes", TOPIC_MAX_BYTES))
        return fits(record, size, most)

    def append_foreign(self, record: Outgoing) -> Record:
        """Write a record outside transactions, as a producer that is not ours: only the broker bounds its size.

        Raises ChoreographyError if it is too large for its topic, or if there is no such partition.
        """
        at = TopicPartition(record.topic, record.partition)
        partition = self.partition(at)
        if not self.takes(record, client_size(record)):
            raise ChoreographyError(f"the compressed record is too large for {record.topic}")
        return partition.append(record, self.append_time(at))

    def mark(self, marker: Marker) -> None:
        """End a transaction in one partition: at once, or when the pending markers are written."""
        if self.marks_at_once(marker.at):
            self._write_marker(marker)
        else:
            self.pending_markers.append(marker)

    def write_pending_markers(self, places: Collection[TopicPartition] | None = None) -> None:
        """Write the pending markers of these partitions (`None`: of all), in the order their transactions ended."""
        self._write_markers([marker for marker in self.pending_markers if places is None or marker.at in places])

    def complete(self, transactional_id: str) -> None:
        """Write the pending markers of this producer."""
        if self.pending_markers:
            self._write_markers([one for one in self.pending_markers if one.transactional_id == transactional_id])

    def compact(self, topics: Iterable[str]) -> None:
        """Run the log cleaner on these topics."""
        for topic in topics:
            for partition in self.topics[topic]:
                partition.compact()

    def delete_before(self, at: TopicPartition, offset: int) -> None:
        """Delete the records of a partition below an offset (source: Kafka's Admin.deleteRecords)."""
        self.partition(at).delete_before(offset)

    def retain(self, before_ms: int | None = None) -> None:
        """Delete what is older than its topic's `retention.ms` (or than `before_ms`, UTC) where the policy is delete.

        A segment goes when its latest record is old enough; here each record is a segment, which goes after those
        before it.
        """
        for topic, spec in self.specs.items():
            if "delete" in spec.config.get("cleanup.policy", "delete").split(","):
                before = self._retained_since(spec) if before_ms is None else before_ms
                for partition in self.topics[topic]:
                    partition.delete_before(partition.first_since(before))

    def _retained_since(self, spec: TopicSpec) -> int:
        kept = int(spec.config.get("retention.ms", RETENTION))
        return self.clock.now() - kept if kept >= 0 else 0

    def _write_markers(self, due: Sequence[Marker]) -> None:
        self.pending_markers = [marker for marker in self.pending_markers if marker not in due]
        for marker in due:
            self._write_marker(marker)

    def _write_marker(self, marker: Marker) -> None:
        self.partition(marker.at).mark(marker.transaction, marker.state)
