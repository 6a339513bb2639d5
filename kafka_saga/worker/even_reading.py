"""Inputs are read evenly: one that is far ahead of the others in log time waits for them.

Causes and effects lie in different topics. In a backlog of days an effect would else be read long before its cause,
and be held in memory until then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kafka_saga.broker.records import TopicPartition

MOST_AHEAD = 10_000
"""Milliseconds of log time that an input may be ahead of its task's slowest that is not at its end."""

NOT_YET = 0
"""The time of an input of which nothing has been read: it may be as old as the log."""


class EvenReading:
    """How far each input has been read, in log time."""

    def __init__(self) -> None:
        self._fronts: dict[tuple[str, int], int] = {}

    def note(self, fronts: Mapping[tuple[str, int], int]) -> None:
        """These inputs (topic and partition) have been read to records of these times."""
        self._fronts.update(fronts)

    def forget(self) -> None:
        """The partitions have gone."""
        self._fronts.clear()

    def ahead(self, number: int, topics: Collection[str], ended: Collection[TopicPartition]) -> frozenset[str]:
        """The topics of a task that are to wait; `ended` are those of which everything there is has been read."""
        places = {topic: TopicPartition(topic, number) for topic in topics}
        return ahead({topic: self._fronts.get(at, NOT_YET) for topic, at in places.items() if at not in ended})


def ahead(fronts: Mapping[str, int]) -> frozenset[str]:
    """Of inputs that are not at their end, with the log time that they have been read to: those too far ahead."""
    if not fronts:
        return frozenset()
    bound = min(fronts.values()) + MOST_AHEAD
    return frozenset(topic for topic, front in fronts.items() if front > bound)
