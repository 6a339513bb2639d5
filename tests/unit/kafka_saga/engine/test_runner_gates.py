"""What keeps a delivery from starting though its turn has come, and what interrupts one that runs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.engine.dispatch import LOOKED_EVERY
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.state_store import Store
from kafka_saga.engine.work import (
    ControlUpdate,
    Delivery,
    Disturbance,
    Ended,
    Fetch,
    Interrupt,
    Mode,
    Pause,
    Resume,
    Start,
    Wait,
    Warn,
    Write,
)
from tests.unit.kafka_saga.engine.given import RETURNED, AcceptAll, pumped, record

AT = TopicPartition("it.happened", 0)
SAYS = Record("saga.control", 0, 0, 0, b"k", b"", [])


class Gated(AcceptAll):
    """A processor that fetches or waits as it is told, and interrupts what it is told to."""

    def __init__(self, mode: Mode = Mode.ASYNC) -> None:
        super().__init__(mode)
        self.fetched: set[int] = set()
        self.fetches = self.waits = self.goes_on = False
        self.still: frozenset[str] = frozenset()
        self.disturbance: type[Disturbance] | None = None

    def admit(self, delivery: Delivery, stores: Mapping[str, Store], now: int) -> Start | Fetch | Wait | Ended:
        if self.waits:
            return Wait()
        if self.fetches and delivery.record.offset not in self.fetched:
            return Fetch(delivery)
        return super().admit(delivery, stores, now)

    def on_control(self, record: Record) -> ControlUpdate:
        return ControlUpdate(self.still, self.goes_on)

    def on_cancel(self, delivery: Delivery) -> Disturbance | None:
        return self.disturbance(delivery) if self.disturbance else None

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        return Write(delivery.record.partition, [])


def fresh(logic: Gated, max_in_flight: int = 16) -> Runner:
    runner = Runner(logic.roles, max_in_flight)
    runner.on_assign({AT: None})
    runner.on_restored(0, 0)
    return runner


def offsets(starts: list[Start]) -> list[int]:
    return [start.delivery.record.offset for start in starts]


def test_what_has_to_be_fetched_keeps_its_lane_and_lets_others_pass() -> None:
    logic = Gated()
    logic.fetches = True
    runner = fresh(logic, max_in_flight=1)
    logic.fetched.add(2)
    runner.on_records([record(0, b"a"), record(1, b"a"), record(2, b"b")])

    assert offsets(pumped(runner)) == [2]
    (fetch,) = runner.fetches()
    assert (fetch.delivery.record.offset, runner.fetches(), runner.is_idle) == (0, [], False)
    logic.fetched |= {0, 1}
    runner.on_fetched(fetch.delivery)
    assert pumped(runner) == []  # no place is free
    running = next(iter(runner._dispatch._running.values()))
    runner.on_done(running, RETURNED, 0)
    assert offsets(pumped(runner)) == [0]


def test_what_was_fetched_for_a_task_that_has_gone_does_not_start() -> None:
    logic = Gated()
    logic.fetches = True
    runner = fresh(logic)
    runner.on_records([record(0)])
    pumped(runner)
    (fetch,) = runner.fetches()
    runner.on_revoke()
    logic.fetched.add(0)
    runner.on_fetched(fetch.delivery)
    assert pumped(runner) == []

    runner.on_assign({AT: None})
    runner.on_restored(0, 0)
    runner.on_records([record(0)])
    assert offsets(pumped(runner)) == [0]


def test_what_waits_for_control_starts_in_its_order_when_control_allows() -> None:
    logic = Gated()
    logic.waits = True
    runner = fresh(logic)
    runner.on_records([record(0), record(1)])
    assert pumped(runner) == []
    assert runner.is_idle  # nothing goes on by itself
    logic.waits = False
    runner.on_control([SAYS])

    (start,) = pumped(runner)
    runner.on_done(start.delivery, RETURNED, 0)
    assert [start.delivery.record.offset, *offsets(pumped(runner))] == [0, 1]


def test_a_topic_that_stands_still_is_paused_with_what_it_holds_until_it_may_go_on() -> None:
    logic = Gated()
    runner = fresh(logic)
    logic.still = frozenset({"it.happened"})
    runner.on_control([SAYS])
    runner.on_records([record(0)])

    assert pumped(runner) == []
    assert runner.regulate() == [Pause(AT)]
    assert runner.regulate() == []
    assert not runner.has_work
    logic.still = frozenset()
    runner.on_control([SAYS])
    assert offsets(pumped(runner)) == [0]
    assert runner.regulate() == [Resume(AT)]


def test_running_handlers_are_disturbed_when_control_changes_and_when_it_has_been_read_anew() -> None:
    logic = Gated()
    runner = fresh(logic)
    runner.on_records([record(0)])
    (start,) = pumped(runner)
    logic.disturbance = Warn
    assert runner.on_control([SAYS]) == [Warn(start.delivery)]
    runner.on_revoke()
    runner.on_assign({AT: None})

    logic.disturbance = Interrupt
    assert runner.on_control([SAYS]) == []  # an entry of long ago, perhaps: the last one is not read yet
    assert runner.on_restored(0, 0) == [Resume(AT), Interrupt(start.delivery)]


def test_progress_is_reported_after_a_second_and_then_at_its_interval() -> None:
    runner = fresh(Gated())
    runner.on_records([record(0)])
    (start,) = pumped(runner, 10_000)
    reported: list[int] = []
    for now in range(10_000, 35_000, 100):
        runner.on_tick(now)
        if batch := runner.batch():
            reported.append(now)
            runner.on_committed(batch)
    assert len(reported) == 3
    waits = [after - before for before, after in pairwise([10_000, *reported])]
    assert all(0 <= waited - due <= LOOKED_EVERY for waited, due in zip(waits, (1_000, 10_000, 10_000), strict=True))
    runner.on_done(start.delivery, RETURNED, 0)
    runner.on_tick(60_000)
    batch = runner.batch()
    assert batch is not None
    assert batch.made == []


def test_a_partition_in_quarantine_goes_on_when_a_person_says_so() -> None:
    logic = Gated()
    runner = fresh(logic)
    runner.on_records(Record("it.happened", 0, offset, 0, b"k", b"dead", []) for offset in range(600))
    work(runner)
    assert runner.quarantined() == (AT,)
    assert not runner.has_work
    logic.goes_on = True
    runner.on_control([SAYS])
    assert runner.has_work
    work(runner)

    assert runner.quarantined() == ()
    assert not runner.has_work


def work(runner: Runner) -> None:
    """Take in and commit until nothing moves."""
    pumped(runner)
    while batch := runner.batch():
        runner.on_committed(batch)
        pumped(runner)
