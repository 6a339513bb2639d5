"""Transactions that Kafka does not take, for a while: what they would have told is told later, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from string import ascii_letters

import pytest

from kafka_saga.broker.port import TransactionAbortedError
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import OnFailure, Retry
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.errors import RetryableError
from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import CommandRefused
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.worker.service import Service
from tests.scenarios.conftest import Worlds
from tests.scenarios.test_steering import TRIP, Begun, Paid, book, cancel, pay, told

PATIENT = replace(
    TRIP,
    steps=(TRIP.steps[0], replace(TRIP.steps[1], retry=Retry(attempts=3), deadline=None)),
    on_failure=OnFailure.COMPENSATE,
)
NAMES = tuple(f"n{number}" for number in range(12))
STEPS = ("book/1", "pay/1")


def last_partitions_first(readable: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
    return [(at, limit) for at in reversed(readable)]


def limit(world: SagaTest, topic: str, most: int) -> None:
    """Somebody sets how large a record of this topic may be."""
    specs = world.system.cluster.specs
    specs[topic] = replace(specs[topic], config={**specs[topic].config, "max.message.bytes": str(most)})


def unread(worlds: Worlds) -> System:
    """All sagas have gone through while the tracker, which has its partitions, read nothing."""
    world = worlds((PATIENT,))
    world.start(Service("book", {PATIENT: {"book": book}}, compensations={PATIENT: {"book": cancel}}))
    world.start(Service("pay", {PATIENT: {"pay": pay}}))
    world.start_tracker("a")
    world.settle()
    for name in NAMES:
        world.publish("trip.begun", {"name": name})
    take_turns(world, STEPS, times=40)
    assert len(world.records("trip.paid")) == len(NAMES)
    return world


def take_turns(world: System, processes: Sequence[str], times: int) -> None:
    for _ in range(times):
        for process in processes:
            world.turn(process)
        world.clock.advance(0.001)


def test_what_was_folded_but_not_committed_when_the_partitions_went_is_folded_anew(worlds: Worlds) -> None:
    """Read in another order the next time, the same record builds on another state."""
    world = unread(worlds)
    refused = []

    def fault(point: str) -> None:
        if point == "before_commit":
            refused.append(point)
            raise TransactionAbortedError("the coordinator moves")

    healthy, world.cluster.fault = world.cluster.fault, fault
    take_turns(world, ["tracker/a"], times=2)
    world.cluster.portion = last_partitions_first
    world.start_tracker("b")
    take_turns(world, ["tracker/b", "tracker/a"], times=3)
    assert refused
    world.cluster.fault = healthy
    world.advance(60)
    assert {name: world.saga(f"{name}@once").status for name in NAMES} == dict.fromkeys(NAMES, SagaStatus.COMPLETED)


def test_a_ruling_that_kafka_does_not_take_is_tried_again() -> None:
    with SagaTest(PATIENT, {"book": book, "pay": pay}, {"book": cancel}) as world:
        world.fail("pay", RetryableError("busy"), times=1)
        saga = world.given(Begun(name="ann"))
        limit(world, "pay.work", 1)
        world.advance(minutes=5)
        assert (world.system.records("pay.work"), saga.status) == ([], SagaStatus.RUNNING)
        limit(world, "pay.work", 1_000_000)
        world.advance(minutes=5)
        assert saga.status is SagaStatus.COMPLETED
        assert saga.attempts == (("book", 1), ("pay", 1), ("pay", 2))


def test_a_command_whose_consequence_kafka_does_not_take_is_refused_and_says_why() -> None:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as world:
        world.delay("pay", minutes(4))
        saga, other = world.given(Begun(name="ann")), world.given(Begun(name="bob"))
        world.advance(seconds=5)
        limit(world, SAGA_STATE, 20_000)
        large = Paid(name="".join(f"{number * number:x}" for number in range(8_000))).model_dump_json()
        world.command(Act.SKIP, saga.saga_id, step="pay", outcome="trip.paid", content=large)
        world.advance(seconds=30)
        (refused,) = told(world, CommandRefused)
        assert "Kafka does not take what it leads to: a record of" in str(refused)
        other.cancel("the customer rang")
        world.advance(minutes=10)
        assert (saga.status, other.status) == (SagaStatus.COMPLETED, SagaStatus.CANCELLED)
        assert saga.state.epoch == 0


def test_a_saga_whose_state_kafka_does_not_take_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as world:
        limit(world, SAGA_STATE, 900)
        world.given(Begun(name="".join(Random(1).choices(ascii_letters, k=480))))
        others = [world.given(Begun(name=name)) for name in NAMES]
        world.advance(minutes=1)
        assert {other.status for other in others} == {SagaStatus.COMPLETED}
        assert len(world.system.records("trip.paid")) == len(NAMES) + 1
        assert "its saga stays as it was" in caplog.text
        assert "is too large for saga.state" in caplog.text
