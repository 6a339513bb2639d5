"""Metrics: what is counted when, and how far a service is behind."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import CollectorRegistry

from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.runner import PartitionProgress, Runner
from kafka_saga.engine.work import Ended, Kind, Mode
from kafka_saga.observability.histogram import Durations
from kafka_saga.observability.lag import Lag
from kafka_saga.observability.metrics import Metrics
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.tracker.schedule import Schedule
from tests.chain.definition import CHAIN
from tests.unit.kafka_saga.engine.given import AcceptAll, job, record
from tests.unit.kafka_saga.engine.told import AT, batch, dead, done, failed, told


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, {"service": "svc", **labels})


def running() -> Runner:
    runner = Runner(AcceptAll().roles)
    runner.on_assign({AT: None})
    runner.on_restored(0, 0)
    return runner


def test_what_ends_is_counted_by_step_and_kind() -> None:
    registry = told().registry
    assert value(registry, "saga_records_total", kind="dead") == 1
    assert value(registry, "saga_records_total", kind="parked") == 0, "known before the first: a rate can be taken"
    assert value(registry, "saga_deliveries_total", step="do", kind="failed") == 1
    assert value(registry, "saga_failures_total", step="do", code="timeout") == 1
    assert value(registry, "saga_dead_letters_total", code="invalid") == 1
    assert value(registry, "saga_records_written_total", topic="it.done") == 1


def test_a_handler_is_timed_and_what_ran_none_is_not() -> None:
    metrics = Metrics("svc", now=lambda: 100.0)
    parked = Ended(record(4), Kind.PARKED, [], job=job(Mode.ASYNC))
    metrics.committed(batch(done(took=0.2), done(took=40), parked), 0.01)
    found = metrics.registry
    assert value(found, "saga_handler_seconds_count", step="do", kind="done") == 2
    assert value(found, "saga_handler_seconds_sum", step="do", kind="done") == pytest.approx(40.2)
    assert value(found, "saga_handler_seconds_bucket", step="do", kind="done", le="0.25") == 1
    assert value(found, "saga_handler_seconds_count", step="do", kind="parked") is None
    assert value(found, "saga_deliveries_total", step="do", kind="parked") == 1


def test_a_record_is_as_old_as_the_log_says_and_never_younger_than_now() -> None:
    metrics = Metrics("svc", now=lambda: -5.0)
    metrics.committed(batch(done()), 0.01)
    assert value(metrics.registry, "saga_record_age_seconds_sum") == 0
    assert value(told().registry, "saga_record_age_seconds_sum") == 300


def test_what_is_true_now_is_not_looked_at_in_every_turn() -> None:
    moments = iter([10.0, 10.1, 10.3])
    metrics, runner = Metrics("svc", now=lambda: next(moments)), running()
    metrics.turned(Runner(AcceptAll().roles))
    assert value(metrics.registry, "saga_tasks") == 0
    metrics.turned(runner)
    assert value(metrics.registry, "saga_tasks") == 0
    metrics.turned(runner)
    assert value(metrics.registry, "saga_tasks") == 1


def test_a_duration_on_the_bound_of_a_bucket_is_in_it() -> None:
    durations = Durations("seconds", "text", ("a",), (1, 2))
    for seconds in (1, 1.5, 2, 3):
        durations.of(("x",)).observe(seconds)
    (family,) = durations.collect()
    found = {(one.name, one.labels.get("le")): one.value for one in family.samples}
    assert found == {
        ("seconds_bucket", "1"): 1, ("seconds_bucket", "2"): 3, ("seconds_bucket", "+Inf"): 4,
        ("seconds_count", None): 4, ("seconds_sum", None): 7.5,
    }  # fmt: skip


class Log:
    """A log and a worker on it, of one partition."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.standing = PartitionProgress(AT, 0, 0, None)
        self.end: int | None = 0
        self.asked = 0
        self.registry = CollectorRegistry()
        self.lag = Lag("svc", lambda: [self.standing], self._ask, lambda: self.now)
        self.registry.register(self.lag)

    def _ask(self, places: object) -> dict[TopicPartition, int] | None:
        self.asked += 1
        return None if self.end is None else {AT: self.end}

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.lag.turned()

    def behind(self) -> tuple[float | None, float | None]:
        found = {"topic": AT.topic, "partition": "0"}
        return tuple(value(self.registry, f"saga_lag_{unit}", **found) for unit in ("records", "seconds"))  # type: ignore[return-value]


def test_the_lag_is_what_lies_between_the_worker_and_the_end() -> None:
    log = Log()
    log.end, log.standing = 12, PartitionProgress(AT, 10, 0, 995_000)
    log.pass_time(1)
    assert log.behind() == (2, 6)


def test_of_a_record_that_is_not_read_the_wait_begins_when_the_worker_was_last_even() -> None:
    log = Log()
    log.pass_time(1)
    assert log.behind() == (0, 0)
    log.end = 1
    log.pass_time(60)
    assert log.behind() == (1, 60)


def test_a_broker_that_does_not_answer_leaves_what_was_known() -> None:
    log = Log()
    log.end, log.standing = 12, PartitionProgress(AT, 10, 0, None)
    log.pass_time(1)
    assert log.behind()[0] == 2
    log.end, log.standing = None, PartitionProgress(AT, 11, 0, None)
    log.pass_time(10)
    assert log.behind()[0] == 1


def test_the_broker_is_asked_seldom_however_often_somebody_looks() -> None:
    log = Log()
    for _ in range(10):
        log.pass_time(1)
        log.behind()
    assert log.asked == 2


def test_a_broker_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kafka_saga.observability.lag.PATIENCE", 0.01)
    answers = threading.Event()
    lag = Lag(
        "svc",
        lambda: [PartitionProgress(AT, 10, 0, None)],
        lambda _: {AT: 12} if answers.wait(10) else None,
        lambda: 9.0,
    )
    lag.turned()
    records, _, unfinished = lag.collect()
    assert (records.samples, len(unfinished.samples)) == ([], 1)
    answers.set()
    for thread in threading.enumerate():
        if thread.name == "lag":
            thread.join(10)
    assert [sample.value for sample in next(lag.collect()).samples] == [2]


def test_where_nothing_is_known_no_lag_is_claimed() -> None:
    log = Log()
    log.end, log.standing = 12, PartitionProgress(AT, None, 0, None)
    log.pass_time(1)
    assert log.behind() == (None, None)
    log.end = 0
    log.pass_time(10)
    assert log.behind() == (0, 0), "an empty partition has none"


def test_the_runner_stands_where_the_first_record_lies_that_it_has_not_taken_in() -> None:
    runner = running()
    assert runner.standing({AT: 7}) == [PartitionProgress(AT, 7, 0, None)]
    runner.on_records([record(8), record(9)])
    assert runner.standing({AT: 10}) == [PartitionProgress(AT, 8, 0, 0)]
    runner.pump(0)
    assert runner.standing({AT: 10}) == [PartitionProgress(AT, 10, 2, None)]


def test_the_tracker_says_what_is_due_and_since_when() -> None:
    registry = told().registry
    at = {"service": "tracker"}
    assert registry.get_sample_value("saga_deadlines_due", {**at, "when": "overdue"}) == 1
    assert registry.get_sample_value("saga_deadlines_due", {**at, "when": "next_minute"}) == 1
    assert registry.get_sample_value("saga_sagas_waiting", at) == 3
    assert registry.get_sample_value("saga_deadlines_delay_seconds", at) == 1
    assert registry.get_sample_value("saga_lifecycle_total", {**at, "type": "saga.started"}) == 1


def test_the_times_of_a_schedule_are_those_that_count() -> None:
    schedule = Schedule()
    schedule.set(b"a", 5)
    schedule.set(b"a", 7)
    schedule.set(b"b", 9)
    schedule.set(b"b", None)
    assert schedule.times() == [7]
    assert TrackerProcessor((CHAIN,), 4).times() == []


@pytest.mark.parametrize("code", ["timeout", "crashed"])
def test_failures_are_told_apart(code: str) -> None:
    metrics = Metrics("svc", now=lambda: 100.0)
    metrics.committed(batch(failed(code), dead()), 0.01)
    assert value(metrics.registry, "saga_failures_total", step="do", code=code) == 1
