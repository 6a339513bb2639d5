"""Records in the tracker's own topics that it cannot read: said, left as they are, and no other saga is held up."""

from __future__ import annotations

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.topics import SAGA_CONTROL, SAGA_STATE
from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import CommandRefused
from kafka_saga.testing.kit import SagaTest
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.wire import control
from kafka_saga.wire.ids import key_of
from tests.scenarios.test_steering import TRIP, Begun, book, cancel, pay, told


def foreign(world: SagaTest, topic: str, key: bytes, about: str) -> None:
    """Somebody writes what is no value of this topic, in the partition of a saga's key."""
    number = partition_of(key_of(about).encode(), world.system.cluster.partition_counts()[topic])
    at = TopicPartition(topic, number)
    world.system.cluster.partition(at).append(Outgoing(topic, number, key, b"not json", []), world.system.clock.now())


def test_a_state_that_cannot_be_read_holds_up_no_other_saga(caplog: pytest.LogCaptureFixture) -> None:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as world:
        world.delay("pay", minutes(4))
        lost, others = world.given(Begun(name="ann")), [world.given(Begun(name=f"n{number}")) for number in range(8)]
        world.advance(seconds=5)
        world.stop_tracker()
        foreign(world, SAGA_STATE, lost.saga_id.encode(), lost.saga_id)
        foreign(world, SAGA_CONTROL, control.of_saga(others[0].saga_id).encode(), others[0].saga_id)
        world.start_tracker()
        world.command(Act.CANCEL, lost.saga_id, "the customer rang")
        world.advance(minutes=10)

        assert {other.status for other in others} == {SagaStatus.COMPLETED}
        assert "no control entry, passed over" in caplog.text
        assert f"{lost.saga_id} is not followed: its record on saga.state cannot be read" in caplog.text
        (refused,) = told(world, CommandRefused)
        assert "cannot be read by this tracker" in str(refused)
        (left,) = [one for one in world.system.records(SAGA_STATE)[::-1] if one.key == lost.saga_id.encode()][:1]
        assert left.value == b"not json"
