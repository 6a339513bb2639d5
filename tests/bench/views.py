"""The views alone: catching up after a burst, memory, restoring, and how fast a list of many sagas is filtered.

`python -m tests.bench.views NAME` measures one of them in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from confluent_kafka import Producer

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.tracker.core.facts import fact_of
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import SagaState, encode
from kafka_saga.wire.ids import key_of
from tests.bench.load import after, start
from tests.bench.systems import ROOT, STEPS
from tests.chain.definition import CHAIN
from tests.e2e.support import views
from tests.e2e.support.fleet import Fleet

BURST = 20_000
MANY = 200_000
CALLS = 20
PATIENCE = 170.0

FILTERS: tuple[dict[str, str | int], ...] = (
    {"status": "completed"},
    {"key_prefix": "acme/shop-01"},
    {"q": "shop-0099"},
    {"older_than_s": 60, "sort": "age"},
    {"definition": "chain", "sort": "key", "order": "asc"},
)


class Place(NamedTuple):
    """A record of saga.state that is to be written."""

    saga_id: str
    partition: int
    record: bytes


class Bench(NamedTuple):
    """A worker on a Kafka of its own."""

    bootstrap: str
    worker: views.Worker


def measured() -> dict[str, float]:
    """Every figure, each part measured in a process of its own."""
    found: dict[str, float] = {}
    commands = [*(["tests.bench.views", name] for name in PARTS), ["tests.bench.at_size"]]
    for own in commands:
        command = [sys.executable, "-m", *own]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.update(json.loads(done.stdout))
    return found


def burst() -> dict[str, float]:
    """Every state of 20,000 sagas of four steps, written as fast as Kafka takes them, while a worker reads."""
    told = list(_stories(BURST))
    with _bench() as bench:
        began = time.monotonic()
        _publish(bench.bootstrap, told)
        written = time.monotonic()
        _until(lambda: _metric(bench.worker, 'kind="changed"') >= len(told))
        done = time.monotonic()
        _until(lambda: bench.worker.health()["behind_s"] < 1)
        return {
            "views: states of a burst of 20,000 sagas": float(len(told)),
            "views: updates a second of a worker": len(told) / (done - began),
            "views: caught up after the last was written, s": done - written,
        }


def memory() -> dict[str, float]:
    """200,000 finished sagas in one worker: what they take, how fast lists are, and how long a restore takes."""
    with _bench() as bench:
        idle = _rss(bench.worker)
        _publish(bench.bootstrap, _finished(MANY))
        _until(lambda: _metric(bench.worker, 'kind="changed"') >= MANY)
        _until(lambda: bench.worker.health()["behind_s"] < 1)
        full = _rss(bench.worker)
        answers = [_milliseconds(bench.worker, asked) for asked in FILTERS for _ in range(CALLS)]
        bench.worker.member.stop()
        began = time.monotonic()
        bench.worker.member.start()
        _until(lambda: bench.worker.holds_all_with(1))
        restored = time.monotonic() - began
        assert _metric(bench.worker, "saga_views_sagas") == MANY
        return {
            "views: idle, MB": idle,
            "views: with 200,000 sagas, MB": full,
            "views: with 200,000 sagas restored, MB": _rss(bench.worker),
            "views: 200,000 sagas restored after a start, s": restored,
            "views: a filtered list of 200,000, p50, ms": statistics.median(answers),
            "views: a filtered list of 200,000, p95, ms": statistics.quantiles(answers, n=20)[-1],
        }


PARTS: Mapping[str, Callable[[], dict[str, float]]] = {"burst": burst, "memory": memory}


def _stories(count: int) -> Iterator[Place]:
    """Every state of so many sagas as the tracker would write it, the first states of all first."""
    layer, plan = [start(serial) for serial in range(count)], saga_plan(CHAIN)
    states: dict[str, SagaState] = {}
    for number in range(len(STEPS) + 1):
        for event in layer:
            fact = fact_of(event.topic, event.partition, number, _now(), event.key, dict(event.headers))
            if fact is not None:
                saga_id = fact.envelope.subject
                states[saga_id], _ = fold(states.get(saga_id), fact, plan)
                yield Place(saga_id, _partition(saga_id), encode(states[saga_id]))
        if number < len(STEPS):
            layer = [after(STEPS[number], event) for event in layer]


def _finished(count: int) -> Iterator[Place]:
    """So many sagas of four steps that have ended; every id in them is its own, as ids are."""
    template = list(_stories(1))[-1]
    text = template.record.decode()
    ids = {event["id"] for event in json.loads(text)["events"]}
    for serial in range(count):
        saga_id = f"acme/shop-{serial:07}@1"
        own = text.replace(template.saga_id, saga_id)
        for one in ids:
            own = own.replace(one, str(uuid.uuid4()))
        number = _partition(saga_id)
        yield Place(saga_id, number, own.replace('"partition":', f'"partition":{number},"was":', 1).encode())


def _publish(bootstrap: str, places: Iterable[Place]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "queue.buffering.max.messages": MANY + 1})
    for number, place in enumerate(places):
        producer.produce(SAGA_STATE, place.record, place.saga_id.encode(), place.partition)
        if number % 1_000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


def _partition(saga_id: str) -> int:
    return partition_of(key_of(saga_id).encode(), views.PARTITIONS)


def _milliseconds(worker: views.Worker, asked: dict[str, str | int]) -> float:
    began = time.monotonic()
    reply = worker.get("/sagas", **asked)
    took = time.monotonic() - began
    assert reply is not None
    assert reply.status == 200
    return took * 1000


def _metric(worker: views.Worker, what: str) -> float:
    lines = worker.metrics().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line[0] != "#" and what in line), 0.0)


def _rss(worker: views.Worker) -> float:
    """Resident memory in MB (of 1,000,000 bytes); the process is a child of its launcher only until that becomes it."""
    return psutil.Process(worker.member.pid).memory_info().rss / 1e6


def _now() -> int:
    return round(time.time() * 1000)


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not done after {PATIENCE:g} s")
        time.sleep(0.05)


@contextmanager
def _bench() -> Iterator[Bench]:
    with (
        tempfile.TemporaryDirectory(prefix="saga-bench-") as home,
        EmbeddedKafka(Path(home), 0) as kafka,
        Fleet(kafka.bootstrap, Path(home)) as fleet,
    ):
        views.make_topics(kafka.bootstrap)
        worker = views.worker(fleet, "views")
        _until(lambda: worker.holds_all_with(1))
        yield Bench(kafka.bootstrap, worker)


if __name__ == "__main__":
    logging.getLogger("saga.librdkafka").addHandler(logging.NullHandler())
    sys.stdout.write(json.dumps(PARTS[sys.argv[1]]()) + "\n")
