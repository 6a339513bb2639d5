"""Topics and offsets of the in-memory log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.broker.memory.log import MemoryLog
from kafka_saga.broker.memory.partition import Partition
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.topics import TopicSpec, differences


class MemoryAdmin:
    """Topics and offsets."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def create_missing(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """Create the topics that do not exist."""
        missing = [spec for spec in specs if spec.name not in self._log.topics]
        for spec in missing:
            self._log.topics[spec.name] = [
                Partition(spec.name, number, self._log.version) for number in range(spec.partitions)
            ]
            self._log.specs[spec.name] = spec
        return tuple(spec.name for spec in missing)

    def differences(self, specs: Sequence[TopicSpec], beside: str | None = None) -> tuple[str, ...]:
        """What differs between the topics that exist and their specs."""
        found = [(spec, self._log.specs[spec.name]) for spec in specs if spec.name in self._log.specs]
        return tuple(
            sentence
            for spec, actual in found
            for sentence in differences(spec, actual.config, actual.partitions, beside)
        )

    def partitions(self, topics: Sequence[str]) -> Mapping[str, int]:
        """The partition counts of those that exist."""
        return {topic: n for topic, n in self._log.partition_counts().items() if topic in topics}

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """One past the last written record."""
        return {at: self._log.partition(at).end for at in partitions}

    def undecided(self, partitions: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        """Where a transaction is open that has written before a time, and from which offset on."""
        found = {at: self._log.partition(at) for at in partitions}
        return {
            at: one.last_stable for at, one in found.items() if one.open and one.last_stable < one.first_since(before)
        }
