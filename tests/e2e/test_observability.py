"""Services as processes, seen from outside: their spans at a collector, their metrics at their ports."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kafka_saga.local.ports import HOST, any_port, is_free
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Log
from tests.support.collector import Collector, Received

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def scraped(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample by its name, then by the values of its labels but the service's, in the order of their names."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for name, value in sorted(sample.labels.items()) if name != "service")
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def is_even(port: int) -> bool:
    """Whether a service says of every partition that it is at its end."""
    lag = scraped(port).get("saga_lag_records", {})
    return len(lag) > 0 == sum(lag.values())


def lineage(spans: list[Received], name: str) -> list[str]:
    by_id = {span.span: span for span in spans}
    (span,) = [span for span in spans if span.name == name]
    names = [span.name]
    while span.parent:
        span = by_id[span.parent]
        names.insert(0, span.name)
    return names


def test_a_saga_through_four_processes_is_one_trace_at_the_collector_and_counted_at_each_port(
    kafka_bootstrap: str, tmp_path: Path, collector: Collector
) -> None:
    name = f"traced{uuid4().hex[:8]}"
    ports = {step: any_port(is_free) for step in (*chain.STEPS, "tracker")}
    with Fleet(kafka_bootstrap, tmp_path) as fleet:
        for step in chain.STEPS:
            own = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "SAGA_HTTP_PORT": str(ports[step])}
            chain.service(fleet, step, **own)
        chain.tracker(fleet, OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, SAGA_HTTP_PORT=str(ports["tracker"]))
        everybody = list(fleet.members)
        eventually(lambda: chain.has_group(everybody, fleet), fleet.tend, 90, "the services to be ready", fleet.dump)
        log = Log(kafka_bootstrap, chain.TOPICS)
        sagas = chain.start_sagas(kafka_bootstrap, [name])
        eventually(lambda: chain.is_tracked_to_the_end(log, sagas, name), log.follow, 90, "the saga to end", fleet.dump)
        eventually(lambda: all(map(is_even, ports.values())), log.follow, 60, "nobody to be behind", fleet.dump)
        figures = {step: scraped(port) for step, port in ports.items()}
        log.close()
        assert [member.stop(30) for member in fleet.members.values()] == [0] * 5

    spans = collector.of(f"{name}@1")
    assert len({span.trace for span in spans}) == 1
    assert lineage(spans, "send four.done") == [
        "process chain.started", "send chain.started", "process chain.started", "send one.done",
        "process one.done", "send two.done", "process two.done", "send three.done",
        "process three.done", "send four.done",
    ]  # fmt: skip
    assert {span.service for span in spans} == {f"chain-{step}" for step in chain.STEPS}
    for step in chain.STEPS:
        assert figures[step]["saga_deliveries_total"]["done", step] >= 1
        assert figures[step]["saga_handler_seconds_count"]["done", step] >= 1
        assert figures[step]["saga_rebalances_total"][("assigned",)] >= 1
        assert figures[step]["saga_restore_seconds_count"][()] >= 1
        assert set(figures[step]["saga_lag_seconds"].values()) == {0}
    assert figures["tracker"]["saga_lifecycle_total"][("saga.completed",)] >= 1
    assert figures["tracker"]["saga_deadlines_due"].keys() == {("overdue",), ("next_minute",)}
