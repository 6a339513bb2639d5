"""A whole saga system in memory: every service and the tracker on the in-memory log, under a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.codec import Codec
from schemas.event import Event
from services.chassis.blobs import BlobStore
from services.chassis.clock import VirtualClock
from services.chassis.execution import ThreadedExecutor
from services.chassis.memory import MemoryCluster
from services.chassis.observer import Silent
from services.chassis.records import Record
from services.chassis.runner import Logic
from services.chassis.service import Service
from services.chassis.worker import Identity, Worker
from services.tracker.core.state import SagaState, decode
from services.tracker.logic import TrackerLogic
from topology.model import Saga
from topology.topics import SAGA_STATE, TopicFactory, state_topic, topics_of

PARTITIONS = 4
MANY_TURNS = 20_000


class World:
    """Services and trackers that take turns on one in-memory Kafka."""

    def __init__(self, definitions: Sequence[Saga], blobs: Path) -> None:
        self.clock = VirtualClock()
        self.cluster = MemoryCluster(self.clock)
        self.definitions = tuple(definitions)
        self.executor = ThreadedExecutor()
        self._blobs = BlobStore(str(blobs))
        self._workers: dict[str, Worker] = {}
        self._publisher = self.cluster.publisher()
        make = TopicFactory(PARTITIONS)
        self.cluster.admin().create_missing(topics_of(self.definitions, make))

    def start(self, service: Service, instance: str = "1") -> None:
        """Another instance of a service."""
        make = TopicFactory(PARTITIONS)
        self.cluster.admin().create_missing((make.changelog(state_topic(service.name)),))
        self._add(service.name, instance, service.logic(PARTITIONS))

    def start_tracker(self, instance: str = "1") -> None:
        """Another instance of the tracker."""
        self._add("tracker", instance, TrackerLogic(self.definitions))

    def kill(self, name: str) -> None:
        """The worker `name/instance` is gone without a word, as by kill -9."""
        del self._workers[name]

    def stop(self, name: str) -> None:
        """The worker `name/instance` stops in order."""
        worker = self._workers.pop(name)
        worker.drain(5)
        worker.close()

    def publish(self, topic: str, value: Mapping[str, object], key: str | None = None) -> None:
        """A raw record, as anyone would publish it."""
        self._publisher.publish(topic, key.encode() if key else None, json.dumps(value).encode(), [])

    def settle(self) -> None:
        """Take turns until nobody has anything left to do."""
        quiet = 0
        for _ in range(MANY_TURNS):
            before = self._size()
            for worker in self._workers.values():
                worker.turn(0)
            idle = all(worker.runner.is_idle and worker.runner.working_on() for worker in self._workers.values())
            quiet = quiet + 1 if idle and self._size() == before else 0
            if quiet == 3:
                return
        raise AssertionError("the world does not come to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass; everybody takes a turn each second, so that nobody's session ends."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
            for worker in self._workers.values():
                worker.turn(0)

    def saga(self, saga_id: str) -> SagaState:
        """What the tracker's table says of a saga."""
        found = [record for record in self.cluster.records(SAGA_STATE) if record.key == saga_id.encode()]
        last = max(found, key=lambda record: record.offset)
        return decode(last.value or b"")

    def events(self, event: type[Event]) -> list[Event]:
        """Every committed event of a type, decoded (raw starts included)."""
        codec = Codec((event,))
        return [codec.decode(event.event_type, record.value) for record in self.cluster.records(event.event_type)]

    def records(self, topic: str) -> list[Record]:
        """Every committed record of a topic."""
        return self.cluster.records(topic)

    def close(self) -> None:
        """Stop the threads."""
        self.executor.close()

    def _add(self, name: str, instance: str, logic: Logic) -> None:
        self._workers[f"{name}/{instance}"] = Worker(
            self.cluster,
            Identity(name, f"{name}-{instance}"),
            logic,
            self.executor,
            self.cluster.clock,
            self._blobs,
            Silent(),
        )

    def _size(self) -> int:
        return sum(partition.end for partitions in self.cluster.topics.values() for partition in partitions)
