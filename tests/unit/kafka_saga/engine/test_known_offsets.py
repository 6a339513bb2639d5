from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from kafka_saga.broker.memory.consumers import MemoryConsumer
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.engine.offset_tracker import KnownOffsets, Position, encode
from kafka_saga.testing.kit import SagaTest
from tests.scenarios.test_steering import TRIP, Begun, book, cancel, pay

HERE = TopicPartition("a", 0)


def committed(following: int, *unfinished: int) -> Committed:
    return Committed(min((following, *unfinished)), encode(Position(following, dict.fromkeys(unfinished, 0))))


def test_offsets_of_a_group_that_are_older_than_our_own_are_known_as_such() -> None:
    known = KnownOffsets()
    assert not known.is_ahead_of({HERE: committed(5)})
    known.note({HERE: committed(9, 4)})
    assert known.is_ahead_of({HERE: committed(8, 4)})
    assert not known.is_ahead_of({HERE: committed(9)})
    assert not known.is_ahead_of({HERE: committed(30, 20)})
    assert not known.is_ahead_of({})


def test_a_worker_does_nothing_by_old_offsets_and_goes_on_when_it_hears_the_right_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as world:
        for number in range(12):
            world.given(Begun(name=f"one-{number}"))
        right, old = MemoryConsumer.committed, Committed(0, "1|c|0|")
        answers = iter([True, True])

        def old_at_first(
            self: MemoryConsumer, partitions: Sequence[TopicPartition]
        ) -> Mapping[TopicPartition, Committed]:
            found = right(self, partitions)
            return dict.fromkeys(found, old) if next(answers, False) else found

        monkeypatch.setattr(MemoryConsumer, "committed", old_at_first)
        world.system.cluster.groups["pay"]._rebalance()  # as when a member comes or goes
        world.given(Begun(name="two"))
        world.advance(minutes=1)
        assert next(answers, None) is None
        assert len(world.system.records("trip.paid")) == 13
