"""What there is of some partitions is read to its end, and given up only when Kafka falls silent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.port import Reader
from kafka_saga.broker.reading import STALLED, records_from, to_the_end
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import TopicSpec
from kafka_saga.errors import UnavailableError

FIRST, SECOND = TopicPartition("facts", 0), TopicPartition("facts", 1)


class Slow:
    """A reader of one partition that takes `seconds` for each of its records, of which it gives `most`."""

    def __init__(self, clock: VirtualClock, seconds: float, given: int, most: int) -> None:
        self._clock, self._seconds, self._left, self._owed = clock, seconds, given, most - given

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        assert set(positions) == {FIRST}

    def poll(self, timeout: float, limit: int) -> list[Record]:
        self._clock.advance(self._seconds)
        if not self._left:
            return []
        self._left -= 1
        return [Record("facts", 0, 0, 0, None, b"", [])]

    def ended(self) -> frozenset[TopicPartition]:
        return frozenset() if self._left or self._owed else frozenset({FIRST})

    def positions(self) -> Mapping[TopicPartition, int]:
        return {}

    def close(self) -> None:
        pass


def log_of(*values: tuple[int, bytes]) -> MemoryCluster:
    cluster = MemoryCluster()
    cluster.admin().create_missing([TopicSpec("facts", 2, 1, {})])
    for number, value in values:
        cluster.append_foreign(Outgoing("facts", number, None, value, []))
    return cluster


def test_every_partition_is_read_from_where_it_is_wanted() -> None:
    cluster = log_of((0, b"a"), (1, b"b"), (0, b"c"), (1, b"d"))
    found = records_from(cluster, {FIRST: 1, SECOND: None})
    assert sorted(record.value or b"" for record in found) == [b"b", b"c", b"d"]


def test_what_comes_later_is_not_waited_for() -> None:
    cluster = log_of()
    assert list(records_from(cluster, {FIRST: None, SECOND: None})) == []
    assert list(records_from(cluster, {})) == []


def test_a_log_that_is_long_is_read_however_long_it_takes() -> None:
    clock = VirtualClock()
    slow: Reader = Slow(clock, STALLED / 2, given=9, most=9)
    assert len(list(to_the_end(slow, {FIRST: None}, clock))) == 9


def test_a_kafka_that_falls_silent_is_given_up() -> None:
    clock = VirtualClock()
    silent: Reader = Slow(clock, STALLED / 2, given=2, most=3)
    reading = to_the_end(silent, {FIRST: None}, clock)
    assert [next(reading).topic, next(reading).topic] == ["facts", "facts"]
    with pytest.raises(UnavailableError, match="nothing of facts for 10 s"):
        next(reading)
