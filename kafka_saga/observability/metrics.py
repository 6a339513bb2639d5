"""The Prometheus metrics that every service has; docs/observability.md says what each means."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch, Ended, Kind
from kafka_saga.observability.histogram import Durations
from kafka_saga.observability.observer import Rebalance

COMMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HANDLERS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    300,
    900,
    1800,
    3600,
)
AGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)
RESTORES = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Upper bounds of histograms, in seconds."""

LOOK_EVERY = 0.25
"""Seconds between looks at what changes with every turn of the loop."""


class Metrics:
    """The metrics of one service, in a registry of their own. `now` is in seconds since the epoch."""

    def __init__(self, service: str, now: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._service = service
        self._now = now
        self._look_at = 0.0
        self._describe_records()
        self._describe_commits()
        self._describe_partitions()

    # ---- what the worker tells

    def committed(self, batch: Batch, seconds: float) -> None:
        """Count what ended and what was written."""
        self._commit.observe(seconds)
        self._count(batch.ended)
        for topic, number in Tally([one.topic for one in batch.outgoing]).items():
            self._written.labels(self._service, topic).inc(number)

    def aborted(self, *, in_doubt: bool) -> None:
        """Count it."""
        self._aborted[in_doubt].inc()

    def rebalanced(self, how: Rebalance) -> None:
        """Count it."""
        self._rebalances[how].inc()

    def restored(self, seconds: float) -> None:
        """Take note."""
        self._restore.observe(seconds)

    def turned(self, runner: Runner) -> None:
        """Set what is true now; not at every turn."""
        now = self._now()
        if 0 <= now - self._look_at < LOOK_EVERY:
            return
        self._look_at = now
        self._in_flight.set(runner.in_flight)
        self._held.set(runner.held)
        self._tasks.set(len(runner.working_on()))
        self._restoring.set(len(runner.restoring()))
        self._incomplete.set(len(runner.incomplete()))
        self._quarantined.set(len(runner.quarantined()))

    # ---- inside

    def _count(self, batch: list[Ended]) -> None:
        """What ended, by step and kind; a service has few of both, so the batch is counted before it is added up."""
        now, tally = self._now(), dict[tuple[str, Kind], int]()
        for ended in batch:
            key = (ended.job.step.name if ended.job is not None else "", ended.kind)
            tally[key] = tally.get(key, 0) + 1
            age = now - ended.record.timestamp / 1000
            self._age.observe(age if age > 0 else 0.0)  # the broker's clock may be ahead of ours
            if ended.took >= 0:
                self._handler.of((self._service, *key)).observe(ended.took)
            if ended.kind is Kind.FAILED or ended.kind is Kind.DEAD:
                self._blame(ended)
        for (step, kind), number in tally.items():
            self._records[kind].inc(number)
            if step:
                self._deliveries.labels(self._service, step, kind.value).inc(number)

    def _blame(self, ended: Ended) -> None:
        """Count why it did not end well; its first record says so."""
        headers = dict(ended.outgoing[0].headers) if ended.outgoing else {}
        step = ended.job.step.name if ended.job is not None else ""
        if ended.kind is Kind.DEAD:
            self._dead.labels(self._service, headers.get("dlq_code", b"").decode()).inc()
        else:
            self._failures.labels(self._service, step, headers.get("ce_code", b"").decode()).inc()

    def _describe_records(self) -> None:
        records = self._counter("saga_records", "consumed records by how they ended", "kind")
        self._records = {kind: records.labels(self._service, kind.value) for kind in Kind}
        self._deliveries = self._counter("saga_deliveries", "deliveries to a step by how they ended", "step", "kind")
        self._failures = self._counter("saga_failures", "failed deliveries by the code of the reason", "step", "code")
        self._dead = self._counter("saga_dead_letters", "records that went to dead.letters by reason", "code")
        self._written = self._counter("saga_records_written", "records written, changelogs included", "topic")
        self._handler = self._durations("saga_handler_seconds", "how long handlers ran", HANDLERS, "step", "kind")
        ages = self._durations("saga_record_age_seconds", "from a record's log time to the commit of its end", AGES)
        self._age = ages.of((self._service,))

    def _describe_commits(self) -> None:
        self._commit = self._histogram("saga_commit_seconds", "duration of transactions", COMMITS)
        self._restore = self._histogram("saga_restore_seconds", "from an assignment until all of it runs", RESTORES)
        aborted = self._counter("saga_transactions_aborted", "transactions that were not committed", "outcome")
        self._aborted = {
            in_doubt: aborted.labels(self._service, "in_doubt" if in_doubt else "rolled_back")
            for in_doubt in (False, True)
        }
        rebalances = self._counter("saga_rebalances", "assignments that came or went", "kind")
        self._rebalances = {how: rebalances.labels(self._service, how.value) for how in Rebalance}

    def _describe_partitions(self) -> None:
        self._in_flight = self._gauge("saga_handlers_in_flight", "handlers that run now")
        self._held = self._gauge("saga_records_held", "records read but not taken in")
        self._tasks = self._gauge("saga_tasks", "partitions that this instance works on")
        self._restoring = self._gauge("saga_tasks_restoring", "partitions that wait for their state")
        self._incomplete = self._gauge("saga_tasks_incomplete", "partitions of which some topics lie elsewhere")
        self._quarantined = self._gauge("saga_partitions_quarantined", "partitions that stand still")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, ("service", *labels), registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ("service",), registry=self.registry).labels(self._service)

    def _histogram(self, name: str, text: str, bounds: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ("service",), buckets=bounds, registry=self.registry).labels(self._service)

    def _durations(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Durations:
        found = Durations(name, text, ("service", *labels), bounds)
        self.registry.register(found)
        return found
