"""Services of one saga on a log under test: workers that take turns, and what has come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STEPS, TopicFactory, state_topic, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.offset_tracker import Position, decode
from kafka_saga.engine.processor import Roles
from kafka_saga.execution.executor import ThreadedExecutor
from kafka_saga.observability.observer import Silent
from kafka_saga.wire.envelope import Envelope, from_headers
from kafka_saga.worker.service import Handler, Service
from kafka_saga.worker.worker import PROGRESS_INTERVAL, Identity, Worker
from tests.support.driver import PATIENCE, TURN, Driver, commit, places, unique
from tests.support.example import PARTITIONS

NOTHING: Mapping[str, Handler] = MappingProxyType({})


class Tail:
    """Everything that a topic holds for this test, read as it comes."""

    def __init__(self, driver: Driver, topic: str, keep: Callable[[Record], bool] = lambda _: True) -> None:
        self._reader = driver.cluster.reader()
        self._behind = frozenset(places(topic, PARTITIONS))
        self._reader.assign(dict.fromkeys(self._behind))
        self._keep = keep
        self._found: list[Record] = []

    def records(self) -> list[Record]:
        """What has come until now."""
        until = time.monotonic() + PATIENCE
        while self._read() or self._behind:
            assert time.monotonic() < until, "the log does not come to its end"
        return self._found

    def _read(self) -> int:
        found = self._reader.poll(0.005, 1_000)
        self._found += [record for record in found if self._keep(record)]
        self._behind -= self._reader.ended()
        return len(found)

    def subjects(self) -> list[str]:
        """The saga ids of what has come, sorted."""
        return sorted(envelope(record).subject for record in self.records())

    def close(self) -> None:
        """Release the reader."""
        self._reader.close()


class Rig:
    """Workers of one saga's services, each with handlers in real threads; none of them polls but by `turn`."""

    def __init__(self, driver: Driver, saga: Saga, folder: Path) -> None:
        self.driver = driver
        self.saga = saga
        self.workers: list[Worker] = []
        self._blobs = BlobStore(str(folder / "blobs"))
        self._executors: dict[Worker, ThreadedExecutor] = {}
        self._tails: dict[str, Tail] = {}
        self._make = TopicFactory(PARTITIONS)
        driver.cluster.admin().create_missing(topics_of([saga], self._make))

    def service(
        self,
        handlers: Mapping[str, Handler],
        heavy: Collection[str] = (),
        *,
        compensations: Mapping[str, Handler] = NOTHING,
        stateful: bool = False,
    ) -> Service:
        """A service with a group of its own."""
        name = unique("service")
        undoing = {self.saga: compensations}
        service = Service(name, {self.saga: handlers}, compensations=undoing, heavy=heavy, stateful=stateful)
        if stateful:
            self.driver.cluster.admin().create_missing([self._make.changelog(state_topic(service.name))])
        return service

    def worker(
        self,
        service: Service,
        max_in_flight: int = 16,
        roles: Roles | None = None,
        progress_interval: float = PROGRESS_INTERVAL,
    ) -> Worker:
        """One more instance of a service, perhaps in other roles; it takes part in every turn from now on."""
        executor = ThreadedExecutor()
        worker = Worker(
            self.driver.cluster,
            Identity(service.name, unique(service.name)),
            roles or service.roles(PARTITIONS),
            executor,
            self.driver.clock,
            self._blobs,
            Silent(),
            max_in_flight,
            progress_interval,
        )
        self._executors[worker] = executor
        self.workers.append(worker)
        return worker

    def ready(self, *workers: Worker) -> None:
        """Take turns until these workers work, on all partitions together."""
        self.eventually(lambda: self.share(workers) == PARTITIONS)

    def share(self, workers: Sequence[Worker]) -> int:
        """The partitions that these work on; none while one of them works on nothing."""
        shares = [len(worker.runner.working_on()) for worker in workers]
        return sum(shares) if all(shares) else 0

    def crash(self, worker: Worker) -> None:
        """The worker is never heard of again; its handlers die with it."""
        self.workers.remove(worker)
        self._executors.pop(worker).close()

    def stop(self, worker: Worker) -> None:
        """The worker leaves its group."""
        self.workers.remove(worker)
        worker.close()
        self._executors.pop(worker).close()

    def send(self, records: Sequence[Outgoing]) -> None:
        """Write records, a hundred in a transaction."""
        for first in range(0, len(records), 100):
            commit(self.driver, records[first : first + 100])

    def turn(self) -> None:
        """Every worker goes round once."""
        for worker in self.workers:
            worker.turn(TURN)

    def eventually(self, condition: Callable[[], bool]) -> None:
        """Take turns until the condition holds."""
        self.driver.eventually(condition, self.turn)

    def settle(self, turns: int = 20) -> None:
        """Some more turns, in which nothing more should come."""
        for _ in range(turns):
            self.turn()

    def of(self, topic: str) -> Tail:
        """What a topic of this saga holds."""
        return self._tail(topic, lambda _: True)

    def reports(self) -> Tail:
        """The terminal reports about this saga's steps."""
        return self._tail(SAGA_STEPS, lambda record: self._is_mine(record) and _type(record) != "step.progress")

    def progress(self) -> Tail:
        """The reports of how far this saga's handlers are."""
        return self._tail(
            SAGA_STEPS, lambda record: self._is_mine(record) and _type(record) == "step.progress", "progress"
        )

    def letters(self) -> Tail:
        """The dead letters from this saga's topics."""
        mine = {event.encode() for event in (*self.saga.events, *(step.work_topic for step in self.saga.steps))}
        name = self.saga.name.encode()

        def is_ours(record: Record) -> bool:
            # On a real Kafka the examples of all tests share their work topics: the steps have the same names.
            headers = dict(record.headers)
            return headers.get("dlq_topic") in mine and not _is_of_another(headers.get("ce_sagadefinition"), name)

        return self._tail(DEAD_LETTERS, is_ours)

    def position(self, service: Service, at: TopicPartition) -> Position | None:
        """What the service's group has committed for a partition."""
        committed = self.driver.committed(service.name, [at]).get(at)
        return decode(committed) if committed else None

    def close(self) -> None:
        """End every worker."""
        for worker in tuple(self.workers):
            self.stop(worker)
        for executor in self._executors.values():
            executor.close()
        for tail in self._tails.values():
            tail.close()

    def _is_mine(self, record: Record) -> bool:
        return header(record, "ce_sagadefinition") == self.saga.name

    def _tail(self, topic: str, keep: Callable[[Record], bool], name: str = "") -> Tail:
        found = self._tails.get(name or topic)
        if found is None:
            found = self._tails[name or topic] = Tail(self.driver, topic, keep)
        return found


def _type(record: Record) -> str:
    return header(record, "ce_type")


def envelope(record: Record) -> Envelope:
    """The envelope of a record."""
    return from_headers(record.headers)


def header(record: Record, name: str) -> str:
    """A header's text; empty if it is not there."""
    return (dict(record.headers).get(name) or b"").decode()


def _is_of_another(definition: bytes | None, ours: bytes) -> bool:
    return definition is not None and definition.startswith(b"example") and definition != ours
