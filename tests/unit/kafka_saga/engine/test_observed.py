"""What a worker tells while partitions come and go, and when Kafka does not take what it writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Batch, Kind
from kafka_saga.observability.observer import Rebalance, Silent
from kafka_saga.testing.connection import Broker, Connection
from kafka_saga.testing.executor import VirtualExecutor
from kafka_saga.worker.service import Service
from kafka_saga.worker.worker import Identity, Worker
from tests.support.example import PARTITIONS, Example, Fact, example

Handler = Callable[[Fact, Context], Fact]


class Heard(Silent):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.ended: list[Kind] = []
        self.took: list[float] = []

    def committed(self, batch: Batch, seconds: float) -> None:
        self.ended += [one.kind for one in batch.ended]
        self.took += [one.took for one in batch.ended]

    def aborted(self, *, in_doubt: bool) -> None:
        self.counts["in doubt" if in_doubt else "rolled back"] += 1

    def rebalanced(self, how: Rebalance) -> None:
        self.counts[how.value] += 1

    def restored(self, seconds: float) -> None:
        assert seconds >= 0
        self.counts["restored"] += 1


class World:
    """One worker in memory, with one step."""

    def __init__(self, made: Example, handler: Handler) -> None:
        self.clock, self.broker, self.heard = VirtualClock(), Broker(), Heard()
        self.cluster = MemoryCluster(self.clock)
        self.cluster.admin().create_missing(topics_of([made.saga], TopicFactory(PARTITIONS)))
        self.worker = Worker(
            Connection(self.cluster, self.broker),
            Identity("svc", "svc"),
            Service("svc", {made.saga: {made.work: handler}}).roles(PARTITIONS),
            VirtualExecutor(self.clock),
            self.clock,
            BlobStore("memory://"),
            self.heard,
        )
        self.turn()
        start = made.start("ann", 1)
        self.cluster.publisher().publish(start.topic, start.key, start.value, start.headers)

    def turn(self, times: int = 20) -> None:
        for _ in range(times):
            self.worker.turn(0)
            self.clock.advance(0.01)


@pytest.fixture
def made() -> Example:
    return example()


def test_an_assignment_is_told_and_when_all_of_it_runs(made: Example) -> None:
    world = World(made, lambda event, _: made.worked(key=event.key, number=event.number))
    assert world.heard.counts == {"assigned": 1, "restored": 1}
    world.turn()
    world.worker.close()
    assert world.heard.counts["revoked"] == 1
    assert world.heard.ended == [Kind.DONE]


def test_how_long_a_handler_took_is_told_with_its_end(made: Example) -> None:
    def slow(event: Fact, _: Context) -> Fact:
        world.clock.advance(3)
        return made.worked(key=event.key, number=event.number)

    world = World(made, slow)
    world.turn()
    assert world.heard.took == [pytest.approx(3)]


def test_a_commit_that_nobody_knows_of_is_told_and_the_partitions_are_lost(made: Example) -> None:
    def cut_off(event: Fact, _: Context) -> Fact:
        world.broker.is_away = not world.heard.counts["in doubt"]
        return made.worked(key=event.key, number=event.number)

    world = World(made, cut_off)
    world.turn()
    assert world.heard.ended == []
    world.broker.is_away = False
    world.turn()
    assert (world.heard.counts["in doubt"], world.heard.counts["lost"], world.heard.counts["assigned"]) == (1, 1, 2)
    assert world.heard.ended == [Kind.DONE]


def test_a_record_that_kafka_does_not_take_is_told_and_ends_as_failed(made: Example) -> None:
    world = World(made, lambda event, _: made.worked(key=event.key, number=event.number))
    specs, topic = world.cluster.specs, made.worked.event_type
    specs[topic] = replace(specs[topic], config={**specs[topic].config, "max.message.bytes": "50"})
    world.turn()
    assert world.heard.counts["rolled back"] >= 1
    assert world.heard.ended == [Kind.FAILED]
    assert world.heard.took[0] >= 0, "its handler has run"
