"""The tracker's own metrics: what it has said of sagas, and how many of them wait for a time that has come."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.engine.work import Batch
from kafka_saga.observability.observer import Silent

SOON = 60_000
"""Milliseconds in which something is about to be due."""

NAME = "tracker"

Times = Callable[[], Iterable[int]]
"""When each saga is to be looked at again, in milliseconds UTC."""


class TrackerMetrics(Silent, Collector):
    """Told by the worker what is on the log; asks for the `times` whenever somebody looks (`now`: seconds UTC)."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.times: Times = tuple
        self._said = Counter("saga_lifecycle", "what the tracker said of sagas", ("service", "type"), registry=registry)
        registry.register(self)

    def committed(self, batch: Batch, seconds: float) -> None:
        """Count what was said."""
        said = Tally(_type_of(one) for one in batch.outgoing if one.topic == SAGA_LIFECYCLE)
        for kind, number in said.items():
            self._said.labels(NAME, kind.decode()).inc(number)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """As `Collector.describe`."""
        yield from _families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As `Collector.collect`."""
        now, times = int(self._now() * 1000), tuple(self.times())
        followed, due, delay = _families()
        followed.add_metric((NAME,), len(times))
        due.add_metric((NAME, "overdue"), sum(time <= now for time in times))
        due.add_metric((NAME, "next_minute"), sum(now < time <= now + SOON for time in times))
        delay.add_metric((NAME,), max(0, now - min(times, default=now)) / 1000)
        yield from (followed, due, delay)


def _type_of(record: Outgoing) -> bytes:
    return next((value for name, value in record.headers if name == "ce_type"), b"")


def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily("saga_sagas_waiting", "sagas that wait for a time", labels=("service",)),
        GaugeMetricFamily(
            "saga_deadlines_due", "sagas whose time has come, or is about to", labels=("service", "when")
        ),
        GaugeMetricFamily("saga_deadlines_delay_seconds", "since when the first of them is due", labels=("service",)),
    )
