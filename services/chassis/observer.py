"""What a worker tells about itself: metrics and log lines, collected where a batch ends, not per record."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.chassis.runner import Runner
from services.chassis.work import Batch, Ended, Kind

LOG = logging.getLogger("saga.delivery")

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_NOTABLE = {
    Kind.FAILED: logging.WARNING,
    Kind.DEAD: logging.WARNING,
    Kind.SKIPPED: logging.INFO,
    Kind.PARKED: logging.INFO,
}


class Observer(Protocol):
    """What is told."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """A batch is on the log; committing took so long."""

    def turned(self, runner: Runner) -> None:
        """The loop has gone round once."""


class Silent:
    """Tells nothing."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """Nothing."""

    def turned(self, runner: Runner) -> None:
        """Nothing."""


class Metrics:
    """Prometheus metrics of one service, in a registry of their own."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        labels = ("service", "kind")
        records = Counter("saga_records", "consumed records by how they ended", labels, registry=self.registry)
        self._records = {kind: records.labels(service, kind.value) for kind in Kind}
        self._commit = Histogram(
            "saga_commit_seconds", "duration of transactions", ("service",), buckets=_SECONDS, registry=self.registry
        ).labels(service)
        self._in_flight = self._gauge("saga_handlers_in_flight", "handlers that run now").labels(service)
        self._tasks = self._gauge("saga_tasks", "partitions that this instance works on").labels(service)
        self._quarantined = self._gauge("saga_partitions_quarantined", "partitions that stand still").labels(service)

    def committed(self, batch: Batch, seconds: float) -> None:
        """Count what ended; log what did not end well."""
        for kind, number in Tally(ended.kind for ended in batch.ended).items():
            self._records[kind].inc(number)
        self._commit.observe(seconds)
        for ended in batch.ended:
            if ended.kind in _NOTABLE:
                _log(ended)

    def turned(self, runner: Runner) -> None:
        """Set what is true now."""
        self._in_flight.set(runner.in_flight)
        self._tasks.set(len(runner.working_on()))
        self._quarantined.set(len(runner.quarantined()))

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ("service",), registry=self.registry)


def _log(ended: Ended) -> None:
    headers = dict(ended.record.headers)
    extra = {
        "saga_id": (headers.get("ce_subject") or b"").decode(errors="replace"),
        "step": ended.job.step.name if ended.job else "",
        "attempt": (headers.get("ce_attempt") or b"1").decode(errors="replace"),
        "record": ended.record.where,
    }
    LOG.log(_NOTABLE[ended.kind], "%s: %s", ended.kind.value, ended.reason, extra=extra)
