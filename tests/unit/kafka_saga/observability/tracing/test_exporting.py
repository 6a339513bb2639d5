"""Where spans go: nowhere at no cost, to a collector that is there, and to one that is not."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from kafka_saga.broker.clock import SystemClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.execution.executor import ThreadedExecutor
from kafka_saga.observability.observer import Silent
from kafka_saga.observability.tracing.exporters import Exporter, exporter_of
from kafka_saga.observability.tracing.exporting import provided
from kafka_saga.observability.tracing.spans import Spans
from kafka_saga.worker.service import Handler, Service
from kafka_saga.worker.worker import Identity, Worker
from tests.support.collector import Collector, Received
from tests.support.example import PARTITIONS, Example, Fact, example


@pytest.mark.parametrize(
    ("wanted", "environment", "expected"),
    [
        (None, {}, Exporter.NONE),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, Exporter.OTLP),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, Exporter.OTLP),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, Exporter.NONE),
        (Exporter.OTLP, {}, Exporter.OTLP),
        (Exporter.NONE, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, Exporter.NONE),
        (Exporter.CONSOLE, {"OTEL_SDK_DISABLED": "TRUE"}, Exporter.NONE),
    ],
)
def test_the_setting_counts_then_opentelemetrys_own(
    wanted: Exporter | None, environment: Mapping[str, str], expected: Exporter
) -> None:
    assert exporter_of(wanted, environment) is expected


def run(program: str, **environment: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SAGA_"))}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, env=own | environment
    )
    return done.stdout


def test_without_tracing_nothing_of_opentelemetry_is_imported() -> None:
    program = """if True:
        import sys
        import kafka_saga.worker.process, kafka_saga.tracker.process
        from kafka_saga.observability.tracing import tracing_to
        from kafka_saga.observability.tracing.exporters import Exporter
        assert tracing_to(Exporter.NONE, "svc") is None
        print([name for name in sys.modules if name.partition(".")[0] == "opentelemetry"])
    """
    assert run(program).strip() == "[]"


def test_on_the_console_are_the_spans_of_handlers_too() -> None:
    program = """if True:
        from opentelemetry import trace
        from kafka_saga.observability.tracing import tracing_to
        from kafka_saga.observability.tracing.exporters import Exporter
        tracing = tracing_to(Exporter.CONSOLE, "svc")
        with trace.get_tracer("user").start_as_current_span("ask the bank"):
            pass
        tracing.close()
    """
    found = json.loads(run(program))
    assert (found["name"], found["resource"]["attributes"]["service.name"]) == ("ask the bank", "svc")
    renamed = json.loads(run(program, OTEL_SERVICE_NAME="other"))
    assert renamed["resource"]["attributes"]["service.name"] == "other"


# ---- a worker with real threads, and a collector that listens


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def to(endpoint: str) -> tuple[Spans, Tracer]:
    provider, ids = provided("svc", BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=1)))
    return Spans(provider, ids, "svc"), provider.get_tracer("user")


def worked(example: Example, handler: Handler, spans: Spans) -> None:
    """A worker works on one start, and ends."""
    cluster, executor = MemoryCluster(), ThreadedExecutor()
    make = TopicFactory(PARTITIONS)
    cluster.admin().create_missing(topics_of([example.saga], make))
    start = example.start("ann", 1)
    cluster.publisher().publish(start.topic, start.key, start.value, start.headers)
    roles = Service("svc", {example.saga: {example.work: handler}}).roles(PARTITIONS)
    worker = Worker(
        cluster, Identity("svc", "svc"), roles, executor, SystemClock(), BlobStore("memory://"), Silent(), tracing=spans
    )
    until = time.monotonic() + 30
    while not any(partition.end for partition in cluster.topics[example.worked.event_type]):
        assert time.monotonic() < until
        worker.turn(0.01)
    worker.close()
    executor.close()


def only(spans: list[Received], name: str) -> Received:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_a_collector_gets_the_spans_of_a_worker_and_what_its_handler_traced_on_another_thread(
    collector: Collector,
) -> None:
    made = example()
    spans, tracer = to(collector.endpoint)

    async def work(event: Fact, _: Context) -> Fact:
        with tracer.start_as_current_span("ask the bank"):
            await asyncio.sleep(0)
            await asyncio.to_thread(lambda: tracer.start_span("in a thread").end())
        return made.worked(key=event.key, number=event.number)

    worked(made, work, spans)
    spans.close()
    found = collector.of("ann@1")
    handler, inside = only(found, made.work), only(found, "ask the bank")
    assert inside.parent == handler.span
    assert only(found, "in a thread").parent == inside.span
    assert only(found, f"send {made.worked.event_type}").parent == handler.parent
    assert {span.service for span in found} == {"svc"}
    assert only(found, f"process {made.started.event_type}").attributes["messaging.kafka.offset"] == "0"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_collector_that_is_not_there_holds_nobody_up() -> None:
    made = example()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and answers nothing
        spans, _ = to(f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        worked(made, lambda event, _: made.worked(key=event.key, number=event.number), spans)
        assert time.monotonic() - began < 5
        spans.close()
        assert time.monotonic() - began < 15
