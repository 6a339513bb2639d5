"""The tracker alone: events a second, what waiting sagas cost, and many deadlines at once.

`python -m tests.bench.tracking NAME` measures one of them in a process of its own and prints JSON.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

import psutil
from confluent_kafka import Producer

from kafka_saga.broker.clock import Clock, SystemClock, VirtualClock
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.durations import seconds
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_LIFECYCLE, TopicFactory, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch
from kafka_saga.events.lifecycle import DeadlinePassed
from kafka_saga.execution.executor import ThreadedExecutor
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.observability.observer import Silent
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.wire.codec import Codec
from kafka_saga.worker.process import calm_the_collector
from kafka_saga.worker.settings import Settings
from kafka_saga.worker.worker import Identity, Worker
from tests.bench.flat import publisher_properties
from tests.bench.load import after, start
from tests.bench.systems import PARTITIONS, ROOT, STEPS
from tests.chain.definition import CHAIN

SAGAS = 10_000
WAITING = 100_000
LEVELS = (0, 50_000, 100_000, 150_000, 200_000, 250_000)
REST = 3.0
"""Seconds after which a client that has nothing to do has given back what it fetched."""

DEADLINE = 45.0
"""Seconds of the first step's deadline: longer than it takes to read all starts."""

PATIENCE = 300.0

FIRED = DeadlinePassed.event_type.encode()


class Counted(Silent):
    """An observer that counts what is on the log."""

    def __init__(self) -> None:
        self.records = 0
        self.fired = 0
        self.tasks = 0

    def committed(self, batch: Batch, seconds: float) -> None:
        """A batch is on the log."""
        self.records += len(batch.ended)
        self.fired += sum(("ce_type", FIRED) in one.headers for one in batch.outgoing if one.topic == SAGA_LIFECYCLE)

    def turned(self, runner: Runner) -> None:
        """The loop has gone round."""
        self.tasks = len(runner.working_on())


def measured() -> dict[str, float]:
    """Every figure, each part measured in a process of its own."""
    found: dict[str, float] = {}
    for name in PARTS:
        command = [sys.executable, "-m", "tests.bench.tracking", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.update(json.loads(done.stdout.splitlines()[-1]))
    return found


def in_memory() -> dict[str, float]:
    """Events a second on the in-memory log."""
    cluster = MemoryCluster(VirtualClock())
    cluster.admin().create_missing(topics_of((CHAIN,), TopicFactory(PARTITIONS)))
    for record in _histories(SAGAS):
        cluster.partition(TopicPartition(record.topic, record.partition)).append(record, cluster.clock.now())
    counted = Counted()
    worker = _tracker(cluster, cluster.clock, counted)
    taken = _turns(worker, lambda: counted.records >= 5 * SAGAS, 0)
    return {"events a second, in memory": 5 * SAGAS / taken}


def on_kafka() -> dict[str, float]:
    """Events a second on real Kafka, from the first record read to the last committed."""
    with _kafka() as (settings, cluster):
        _publish(settings, _histories(3 * SAGAS))
        counted = Counted()
        worker = _tracker(cluster, SystemClock(), counted)
        _turns(worker, lambda: counted.tasks == PARTITIONS, 0.05)
        read = counted.records
        taken = _turns(worker, lambda: counted.records >= 15 * SAGAS, 0.05)
        worker.close()
        return {"events a second, on Kafka": (15 * SAGAS - read) / taken}


def waiting() -> dict[str, float]:
    """What a saga that waits costs in memory, and how long taking 100,000 of them over takes.

    The cost is a slope, so that what the process and its client need whatever they keep drops out: the memory that is
    the process's own, at rest, with more and more sagas. Of the slopes between any two of these, the median: how much
    an allocator has not given back at one moment is chance.
    """
    with _kafka() as (settings, cluster):
        counted = Counted()
        worker = _tracker(cluster, SystemClock(), counted)
        steps = pairwise(LEVELS)
        found = [(last, _memory_with(worker, counted, settings, range(first, last))) for first, last in steps]
        worker.close()
    slopes = [(much - little) / (many - few) for (few, little), (many, much) in combinations(found, 2)]
    with _kafka() as (settings, cluster):
        _publish_elsewhere(settings, range(WAITING))
        counted, again = Counted(), Counted()
        worker = _tracker(cluster, SystemClock(), counted)
        _turns(worker, lambda: counted.records >= WAITING, 0.05)
        worker.close()
        worker = _tracker(cluster, SystemClock(), again)
        taken = _turns(worker, lambda: again.tasks == PARTITIONS, 0.05)
        worker.close()
    return {"bytes a waiting saga": median(slopes), "100,000 sagas taken over, s": taken}


def _memory_with(worker: Worker, counted: Counted, settings: Settings, more: range) -> int:
    """Bytes of this process alone, when these sagas wait too, and nothing lies about that could be given back."""
    _publish_elsewhere(settings, more)
    _turns(worker, lambda: counted.records >= more.stop, 0.05)
    rest = time.monotonic() + REST
    _turns(worker, lambda: time.monotonic() > rest, 0.05)
    gc.unfreeze()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_full_info().uss


def _publish_elsewhere(settings: Settings, serials: range) -> None:
    """By a process of its own: what publishing leaves free in this one would hide what is kept."""
    command = [sys.executable, "-m", "tests.bench.tracking", "starts", settings.bootstrap_servers]
    subprocess.run([*command, str(serials.start), str(serials.stop)], check=True)


def deadlines() -> dict[str, float]:
    """How long after their time 100,000 deadlines that are due together have all fired; none may be early."""
    first, *others = CHAIN.steps
    saga = replace(CHAIN, steps=(replace(first, timeout=seconds(DEADLINE), deadline=seconds(DEADLINE)), *others))
    with _kafka() as (settings, cluster):
        _publish(settings, [start(serial) for serial in range(WAITING)])
        counted = Counted()
        worker = _tracker(cluster, SystemClock(), counted, saga)
        _turns(worker, lambda: counted.records >= WAITING, 0.05)
        _turns(worker, lambda: counted.fired >= WAITING, 0.05)
        worker.close()
        fired = _fired(cluster)
        due = max(at for at, _ in fired)
        return {
            "100,000 deadlines, due within, s": (due - min(at for at, _ in fired)) / 1000,
            "100,000 deadlines, last fired after the last was due, s": (max(t for _, t in fired) - due) / 1000,
            "100,000 deadlines, fired early": float(sum(fired_at < at for at, fired_at in fired)),
        }


def _fired(cluster: Cluster) -> list[tuple[int, int]]:
    """When each deadline was due, and when its record was written."""
    lifecycle, codec = cluster.reader(), Codec((DeadlinePassed,))
    lifecycle.assign({TopicPartition(SAGA_LIFECYCLE, number): None for number in range(PARTITIONS)})
    found: list[tuple[int, int]] = []
    while len(found) < WAITING:
        for record in lifecycle.poll(1, 10_000):
            if dict(record.headers)["ce_type"] == FIRED:
                event = codec.decode(DeadlinePassed.event_type, record.value)
                assert isinstance(event, DeadlinePassed)
                found.append((event.at, record.timestamp))
    lifecycle.close()
    return found


PARTS: Mapping[str, Callable[[], dict[str, float]]] = {
    "memory": in_memory,
    "kafka": on_kafka,
    "waiting": waiting,
    "deadlines": deadlines,
}


def _histories(count: int) -> list[Outgoing]:
    """Every event of so many sagas, the first events of all first."""
    layer = [start(serial) for serial in range(count)]
    found = list(layer)
    for step in STEPS:
        layer = [after(step, event) for event in layer]
        found += layer
    return found


def _tracker(cluster: Cluster, clock: Clock, counted: Counted, saga: Saga = CHAIN) -> Worker:
    identity = Identity("tracker", f"tracker-{time.monotonic_ns()}")
    logic = TrackerProcessor((saga,), PARTITIONS)
    return Worker(cluster, identity, logic.roles, ThreadedExecutor(), clock, BlobStore("memory://"), counted)


def _turns(worker: Worker, is_done: Callable[[], bool], timeout: float) -> float:
    """Seconds until it is done."""
    began = time.monotonic()
    while not is_done():
        worker.turn(timeout)
        if time.monotonic() > began + PATIENCE:
            raise TimeoutError(f"not done after {PATIENCE:g} s")
    return time.monotonic() - began


@contextmanager
def _kafka() -> Iterator[tuple[Settings, KafkaCluster]]:
    with tempfile.TemporaryDirectory(prefix="saga-bench-") as home, EmbeddedKafka(Path(home), 0) as kafka:
        settings = Settings(bootstrap_servers=kafka.bootstrap)
        cluster = KafkaCluster(settings.kafka_properties)
        cluster.admin().create_missing(topics_of((CHAIN,), TopicFactory(PARTITIONS)))
        yield settings, cluster


def _publish(settings: Settings, records: Sequence[Outgoing]) -> None:
    properties = {"queue.buffering.max.messages": len(records) + 1, "linger.ms": 20, **settings.kafka_properties}
    producer = Producer(publisher_properties(properties))
    for one in records:
        producer.produce(one.topic, one.value, one.key, one.partition, headers=one.headers)  # type: ignore[arg-type]
    producer.flush(60)


if __name__ == "__main__":
    logging.getLogger("saga.librdkafka").addHandler(logging.NullHandler())
    calm_the_collector()  # as a process does
    if sys.argv[1] == "starts":
        serials = range(int(sys.argv[3]), int(sys.argv[4]))
        _publish(Settings(bootstrap_servers=sys.argv[2]), [start(serial) for serial in serials])
    else:
        sys.stdout.write(json.dumps(PARTS[sys.argv[1]]()) + "\n")
