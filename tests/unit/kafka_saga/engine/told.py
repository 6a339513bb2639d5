"""A service that has told everything it ever tells, for tests of what is seen from outside."""

from __future__ import annotations

from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.topics import SAGA_LIFECYCLE, SAGA_STEPS
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.engine.runner import PartitionProgress, Runner
from kafka_saga.engine.work import Batch, Ended, Kind, Mode
from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.events.lifecycle import SagaStarted
from kafka_saga.observability.lag import Lag
from kafka_saga.observability.metrics import Metrics
from kafka_saga.observability.observer import Rebalance
from kafka_saga.tracker.metrics import TrackerMetrics
from tests.unit.kafka_saga.engine.given import AcceptAll, job, record

AT = TopicPartition("it.happened", 0)
NOW = 100.0
"""Seconds since the epoch; records of `given` are of the epoch's beginning."""


def done(took: float = 0.2) -> Ended:
    return Ended(record(1), Kind.DONE, [Outgoing("it.done", 0, b"k", b"", [])], job=job(Mode.ASYNC), took=took)


def failed(code: str = "timeout") -> Ended:
    report = Outgoing(SAGA_STEPS, 0, b"k", b"", [("ce_code", code.encode())])
    return Ended(record(2), Kind.FAILED, [report], reason="too slow", job=job(Mode.ASYNC), took=3.0)


def dead() -> Ended:
    letter = dead_letter(record(3), DecodeError(DecodeProblem.INVALID, "value", "is nothing"), "svc")
    return Ended(record(3), Kind.DEAD, [letter])


def batch(*ended: Ended) -> Batch:
    return Batch(list(ended), [one for end in ended for one in end.outgoing], [], {})


def told() -> Metrics:
    """Of everything something."""
    metrics = Metrics("svc", now=lambda: NOW)
    metrics.committed(batch(done(), failed(), dead()), 0.01)
    metrics.aborted(in_doubt=False)
    metrics.rebalanced(Rebalance.ASSIGNED)
    metrics.restored(1.5)
    metrics.turned(Runner(AcceptAll().roles))
    lag = Lag(
        "svc", lambda: [PartitionProgress(AT, 10, 2, None)], lambda places: dict.fromkeys(places, 12), lambda: NOW
    )
    lag.turned()
    metrics.registry.register(lag)
    tracker = TrackerMetrics(metrics.registry, lambda: NOW)
    tracker.times = lambda: [99_000, 130_000, 300_000]
    said = Outgoing(SAGA_LIFECYCLE, 0, b"k", b"", [("ce_type", SagaStarted.event_type.encode())])
    tracker.committed(Batch([], [said], [], {}), 0.01)
    return metrics
