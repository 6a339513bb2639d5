"""What sagas stand on changes or fails for a while: the partitions of their topics, the blob store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.engine.context import Context
from kafka_saga.errors import TopologyError
from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import CommandAccepted, CommandRefused
from kafka_saga.steps.definition_registry import agree
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.worker.process import prepare_topics
from tests.scenarios.findings.given import SAGA, A, Started, one, require, service, told, two

FEW, MORE = 2, 3


def moves(key: str) -> bool:
    """Whether a key belongs to another partition if there are more."""
    return partition_of(key.encode(), FEW) != partition_of(key.encode(), MORE)


MOVED = next(key for key in map(str, range(100)) if moves(key))

AWAY = 17.0
"""Seconds that the blob store cannot be written: a moment longer than the five attempts of a step take."""


def start_all(world: System, monkeypatch: pytest.MonkeyPatch, partitions: int) -> bool:
    """Start everything as processes do, which agree on topics and definitions; whether the log lets them."""
    specs = topics_of((SAGA,), TopicFactory(partitions))
    try:
        count = prepare_topics(world.cluster.admin(), specs, SAGA.starts_on.event_type)
        agree(world.cluster, (SAGA,), world.clock)
    except TopologyError:
        return False
    monkeypatch.setattr(world, "_partitions", count)
    world.start(service("one", SAGA, one), f"of-{count}")
    world.start_tracker(f"of-{count}")
    world.settle()
    return True


def grown(monkeypatch: pytest.MonkeyPatch) -> System:
    """A saga runs; everything is stopped, and somebody gives every topic one partition more."""
    world = System((SAGA,), partitions=FEW)
    start_all(world, monkeypatch, FEW)
    world.publish("t.started", {"key": MOVED})
    world.settle()
    require(world.saga(f"{MOVED}@1").status is SagaStatus.RUNNING, "the saga runs")
    for name in tuple(world.processes):
        world.stop(name)
    for topic in tuple(world.cluster.topics):
        grow(world, topic)
    return world


def grow(world: System, topic: str) -> None:
    """Give a topic one partition more, as `kafka-topics.sh --alter --partitions` does."""
    cluster = world.cluster
    wanted = replace(cluster.specs[topic], partitions=MORE)
    cluster.admin().create_missing((replace(wanted, name="more"),))
    more = cluster.topics.pop("more")[FEW]
    more.topic = topic
    cluster.topics[topic].append(more)
    cluster.specs[topic] = wanted


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 16: a start whose key moved when topics got more partitions is not known again, and runs twice",
)
def test_a_start_runs_once_although_the_topics_were_given_more_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(grown(monkeypatch)) as world:
        if start_all(world, monkeypatch, MORE):  # to refuse to start would do as well
            world.publish("t.started", {"key": MOVED})
            world.advance(60)

        assert len(world.events(A)) == 1


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 16: a command about a saga whose key moved when topics got more partitions finds no such saga",
)
def test_a_saga_can_be_paused_although_the_topics_were_given_more_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(grown(monkeypatch)) as world:
        if not start_all(world, monkeypatch, MORE):  # to refuse to start would do as well
            return
        give(world.cluster, "mine", about(Act.PAUSE, f"{MOVED}@1", "look into it"))
        world.advance(60)

        answers = [one for one in told(world, f"{MOVED}@1") if isinstance(one, CommandAccepted | CommandRefused)]
        assert [one.event_type for one in answers] == [CommandAccepted.event_type]


def one_that_stores(event: Started, context: Context) -> A:
    context.blobs.put_text(event.note)
    return A(key=event.key)


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 18: the attempts of a step are used up while the blob store is away, and its saga fails for good",
)
def test_a_saga_outlasts_a_blob_store_that_cannot_be_written_for_a_while(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    folder.write_text("a file where the folder should be: every write fails as on a broken disk")
    with closing(System((SAGA,), blobs=str(folder))) as world:
        world.start(service("one", SAGA, one_that_stores))
        world.start(service("two", SAGA, two))
        world.start_tracker()
        world.publish("t.started", {"key": "k", "note": "large"})
        world.advance(AWAY)
        folder.unlink()
        world.advance(600)

        assert (world.saga("k@1").status, world.saga("k@1").incidents) == (SagaStatus.COMPLETED, ())
