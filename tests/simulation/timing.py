"""What is wrong with the brokers for a while: clocks that are apart, and transaction markers that come late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.markers import always
from kafka_saga.broker.records import TopicPartition
from tests.simulation.course import Course
from tests.simulation.faults import Clock, SlowMarkers

Drifts = Mapping[TopicPartition, Sequence[tuple[int, int]]]
"""By partition: from which offset on log times are off by how many milliseconds, in order."""


class Brokers:
    """The clocks and markers of a cluster. `apart`: the faults that have set clocks, with the times of that."""

    def __init__(self, cluster: MemoryCluster, course: Course) -> None:
        self.apart: list[tuple[int, Clock]] = []
        self.drifts: dict[TopicPartition, list[tuple[int, int]]] = defaultdict(list)
        self._cluster = cluster
        self._course = course

    def set_clock(self, fault: Clock) -> None:
        """From now on a clock is off."""
        self.apart.append((self._cluster.clock.now(), fault))
        self._course.note(f"the clock of {fault.topic or 'all'}[{fault.partition}] is off by {fault.milliseconds} ms")
        for topic in [fault.topic] if fault.topic else list(self._cluster.topics):
            at = TopicPartition(topic, fault.partition)
            end = self._cluster.partition(at).end if topic in self._cluster.topics else 0
            self.drifts[at].append((end, fault.milliseconds))
        self._cluster.clock_offsets = self._offset

    def slow_markers(self, fault: SlowMarkers) -> None:
        """For so many turns markers come late to some partitions."""
        places = [TopicPartition(topic, n) for topic, parts in self._cluster.topics.items() for n in range(len(parts))]
        slow = frozenset(Random(fault.pick).sample(places, len(places) // 3))
        self._course.note(f"markers reach {len(slow)} partitions late for {fault.turns} turns")
        self._cluster.marks_at_once = lambda at: at not in slow
        self._course.after(fault.turns, self.write_markers)

    def write_markers(self) -> None:
        """All markers are there."""
        self._cluster.marks_at_once = always
        self._cluster.write_pending_markers()

    def _offset(self, topic: str, number: int) -> int:
        shifts = self.drifts.get(TopicPartition(topic, number))
        return shifts[-1][1] if shifts else 0


def drift_of(drifts: Drifts, at: TopicPartition, offset: int) -> int:
    """By how much the log time of a record is off."""
    found = [milliseconds for begin, milliseconds in drifts.get(at, ()) if begin <= offset]
    return found[-1] if found else 0
