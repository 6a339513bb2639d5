from __future__ import annotations

from services.chassis.offsets import KnownOffsets, Position, encode
from services.chassis.records import Committed, TopicPartition
from services.testing.kit import SagaTest
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


def test_a_worker_does_nothing_by_old_offsets_and_goes_on_when_it_hears_the_right_ones() -> None:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as world:
        world.given(Begun(name="ann"))
        group = world.system.cluster.groups["pay"]
        right = dict(group.offsets)
        group.offsets.update({at: Committed(0, "1|r|0|") for at in right})
        world.start("pay")  # so that both get their partitions anew
        (first, second) = [name for name in world.system.processes if name.startswith("pay/")]
        for _ in range(10):
            world.system.turn(first)
            world.system.turn(second)
        world.system.kill(second)
        group.offsets.update(right)
        world.given(Begun(name="bob"))
        world.advance(minutes=1)
        assert len(world.system.records("trip.paid")) >= 2
        paid_by_ann = [r for r in world.system.records("trip.paid") if r.key == b"ann"]
        assert len(paid_by_ann) == 1
