"""What one event costs by part, in microseconds, in this process; then the whole path without Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from confluent_kafka import Producer

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.kafka.errors import LOG
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_STATE, topics
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.state_store import Store
from kafka_saga.engine.work import Delivery, Returned
from kafka_saga.execution.executor import ThreadedExecutor
from kafka_saga.execution.inline import run_inline
from kafka_saga.observability.observer import Silent
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.wire.envelope import from_mapping, to_headers
from kafka_saga.wire.ids import child_of, event_id
from kafka_saga.worker.settings import Settings
from kafka_saga.worker.worker import SIP, Identity, Worker
from tests.bench.flat import now, transactional_properties
from tests.bench.lean import hop
from tests.bench.load import CODEC, after_first_step, logic, record_of, start
from tests.bench.systems import PARTITIONS
from tests.chain.definition import CHAIN, OneDone

EVENTS = 2_000
REPEATS = 7
STEP = "two"


def parts_us(settings: Settings | None) -> dict[str, float]:
    """Median microseconds an event of each part; `produce` only with settings that say where Kafka is."""
    records = _records()
    found = {**_steps(records), "fold": _fold(records), **_whole(records)}
    if settings is not None:
        found["produce"] = _produce(records, settings)
    return {name: round(us, 1) for name, us in found.items()}


def _records() -> list[Record]:
    return [record_of(after_first_step(start(serial)), serial) for serial in range(EVENTS)]


def _median_us(work: Callable[[], object], events: int = EVENTS, repeats: int = REPEATS) -> float:
    """Processor microseconds of this thread an event of `work`, which works on so many; the median of some repeats."""
    taken: list[float] = []
    for _ in range(repeats):
        began = time.thread_time()
        work()
        taken.append((time.thread_time() - began) * 1e6 / events)
    return median(taken)


def _each(items: Sequence[object], call: Callable[..., object]) -> float:
    def work() -> None:
        for item in items:
            call(item)

    return _median_us(work, len(items))


def _steps(records: list[Record]) -> dict[str, float]:
    two = logic(STEP)
    deliveries = [found for r in records if isinstance(found := two.route(r, {}, now()), Delivery)]
    envelopes = [delivery.envelope for delivery in deliveries]
    event = CODEC.decode(records[0].topic, records[0].value)
    assert isinstance(event, OneDone)
    handler, context = deliveries[0].job.handler, Context("", "", STEP, 1, 0, BlobStore("memory://"))
    outcome = Returned(handler(event, context))
    return {
        "headers in": _each(records, lambda r: from_mapping(dict(r.headers))),
        "headers out": _each(envelopes, to_headers),
        "route (headers in, checks)": _each(records, lambda r: two.route(r, {}, 0)),
        "decode": _each(records, lambda r: CODEC.decode(r.topic, r.value, "application/avro")),
        "admit (decode, gates)": _each(deliveries, lambda d: two.admit(d, {}, 0)),
        "handler": _each(records, lambda _: run_inline(handler, event, context)),
        "ids": _each(envelopes, lambda e: child_of(e.traceparent or "", event_id(e.id, STEP, "two.done", 0, 0))),
        "encode": _each(records, lambda _: CODEC.encode(event)),
        "conclude (encode, ids, headers out)": _each(deliveries, lambda d: two.on_result(d, outcome, 0)),
    }


def _fold(records: list[Record]) -> float:
    starts = [record_of(start(serial), serial) for serial in range(EVENTS)]

    def work() -> None:
        tracker = TrackerProcessor((CHAIN,), PARTITIONS)
        stores = [{spec.topic: Store(spec, number) for spec in tracker.stores} for number in range(PARTITIONS)]
        for number in range(PARTITIONS):
            tracker.restored(number, stores[number], 0)
        for record in (*starts, *records):
            states = stores[record.partition][SAGA_STATE]
            for change in tracker.route(record, stores[record.partition], 0).changes:
                states.settle(change)

    return _median_us(work, 2 * EVENTS)


def _whole(records: list[Record]) -> dict[str, float]:
    """The path of a step's event: flat, through the runner, through the worker on the in-memory log."""
    return {
        "whole path: lean": _lean(records),
        "whole path: runner": _runner(records),
        "whole path: worker in memory": _in_memory(records),
    }


class _Message:
    """A record with the interface of the client's message."""

    __slots__ = ("_record",)

    def __init__(self, record: Record) -> None:
        self._record = record

    def topic(self) -> str:
        return self._record.topic

    def partition(self) -> int:
        return self._record.partition

    def key(self) -> bytes | None:
        return self._record.key

    def value(self) -> bytes | None:
        return self._record.value

    def headers(self) -> list[tuple[str, bytes]]:
        return self._record.headers


def _lean(records: list[Record]) -> float:
    work = hop(CHAIN.steps_by_name[STEP], "", BlobStore("memory://"))
    messages = [_Message(record) for record in records]
    return _median_us(lambda: work(messages, lambda *_, **__: None))  # type: ignore[arg-type]


def _runner(records: list[Record]) -> float:
    context = Context("", "", STEP, 1, 0, BlobStore("memory://"))
    two = logic(STEP)

    def work() -> None:
        runner = Runner(two.roles)
        runner.on_assign(
            dict.fromkeys((TopicPartition(topic, n) for topic in two.topics for n in range(PARTITIONS)), None)
        )
        for number in range(PARTITIONS):
            runner.on_restored(number, 0)
        for at in range(0, len(records), SIP):
            runner.on_records(records[at : at + SIP])
            _pump(runner, context)
        assert runner.is_idle

    return _median_us(work)


def _pump(runner: Runner, context: Context) -> None:
    while (starts := runner.pump(0)) or runner.has_work:
        for one in starts:
            runner.on_done(one.delivery, run_inline(one.delivery.job.handler, one.event, context), 0)
        if batch := runner.batch():
            runner.on_committed(batch)


def _in_memory(records: list[Record]) -> float:
    executor = ThreadedExecutor()

    def prepared() -> tuple[MemoryCluster, Worker]:
        cluster = MemoryCluster()
        cluster.admin().create_missing(topics(CHAIN, PARTITIONS))
        for record in records:
            cluster.publisher().publish(record.topic, record.key, record.value, record.headers)
        identity = Identity("bench", "bench")
        return cluster, Worker(
            cluster, identity, logic(STEP).roles, executor, VirtualClock(), BlobStore("memory://"), Silent()
        )

    taken: list[float] = []
    for _ in range(REPEATS):
        cluster, worker = prepared()
        taken.append(_median_us(lambda c=cluster, w=worker: _until_done(c, w), repeats=1))  # type: ignore[misc]
        worker.close()
    executor.close()
    return median(taken)


def _until_done(cluster: MemoryCluster, worker: Worker) -> None:
    while sum(partition.end for partition in cluster.topics["two.done"]) < EVENTS:
        worker.turn(0)


def _produce(records: list[Record], settings: Settings) -> float:
    """Handing a record to the client, until it is queued; sending is librdkafka's own thread."""
    producer = Producer(transactional_properties("bench-parts", settings), logger=LOG)
    producer.init_transactions(10)

    def work() -> None:
        producer.begin_transaction()
        for record in records:
            producer.produce("lean.two.done", record.value, record.key, record.partition, headers=record.headers)  # type: ignore[arg-type]

    taken: list[float] = []
    for _ in range(REPEATS):
        taken.append(_median_us(work, repeats=1))
        producer.abort_transaction(30)
    return median(taken)
