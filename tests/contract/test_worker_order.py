"""Out of order inside a partition: a slow handler holds nobody up, and a crash repeats nothing that was committed."""

from __future__ import annotations

import pytest

from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.engine.context import Context
from kafka_saga.engine.offset_tracker import MAX_UNFINISHED
from kafka_saga.worker.service import Handler
from tests.support.driver import Driver, abort, commit
from tests.support.example import Example, Fact, key_in
from tests.support.gate import Gate
from tests.support.rig import Rig, envelope

SLOW = key_in(0, 0)
FAST = [key_in(0, number) for number in range(1, 60)]
COUNT = 3_000


class Ran:
    """A handler of `finish` that passes the gate with slow keys, and counts what it ran."""

    def __init__(self, case: Example, gate: Gate) -> None:
        self._case = case
        self._gate = gate
        self.sagas: list[str] = []

    def handler(self) -> Handler:
        """The handler."""

        async def finish(event: Fact, context: Context) -> Fact:
            self.sagas.append(context.saga_id)
            if event.text == "slow":
                await self._gate.passes(event.key)
            return self._case.finished(key=event.key, number=event.number)

        return finish


def send_some_aborted(driver: Driver, records: list[Outgoing]) -> None:
    """Transactions of twenty records; one in ten is rolled back first, and written again after."""
    for number, first in enumerate(range(0, len(records), 20)):
        if number % 10 == 3:
            abort(driver, records[first : first + 20])
        commit(driver, records[first : first + 20])


def fast_ones(case: Example, count: int) -> list[Outgoing]:
    return [case.work_done(FAST[number % len(FAST)], number) for number in range(count)]


def ids(count: int) -> list[str]:
    return [f"{FAST[number % len(FAST)]}@{number}" for number in range(count)]


def test_thousands_are_committed_past_a_slow_one_and_a_crash_runs_only_that_again(
    rig: Rig, case: Example, driver: Driver
) -> None:
    gate = Gate()
    ran = Ran(case, gate)
    service = rig.service({"finish": ran.handler()})
    first = rig.worker(service)
    send_some_aborted(driver, [case.work_done(SLOW, 1, "slow"), *fast_ones(case, COUNT)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= COUNT and first.runner.in_flight == 1)
    rig.settle(3)
    assert outcomes.subjects() == sorted(ids(COUNT))
    at = TopicPartition(case.worked.event_type, 0)
    position = rig.position(service, at)
    assert position is not None
    assert dict(position.unfinished) == {0: 0}
    assert position.next > COUNT
    assert driver.committed(service.name, [at])[at].offset == 0

    rig.crash(first)
    ran.sagas.clear()
    second = rig.worker(service)
    rig.eventually(lambda: second.runner.in_flight == 1)
    rig.settle()
    assert ran.sagas == [f"{SLOW}@1"]
    gate.open(SLOW)
    rig.eventually(lambda: len(outcomes.records()) > COUNT)
    rig.settle()
    assert outcomes.subjects() == sorted([*ids(COUNT), f"{SLOW}@1"])
    position = rig.position(service, at)
    assert position is not None
    assert not position.unfinished


def test_what_was_not_committed_when_a_worker_crashed_runs_again_and_nothing_else(rig: Rig, case: Example) -> None:
    """Several slow ones in several partitions, some finished meanwhile."""
    gate = Gate()
    ran = Ran(case, gate)
    service = rig.service({"finish": ran.handler()})
    first = rig.worker(service)
    slow = [key_in(partition, number) for partition in range(4) for number in range(4)]
    rig.send([case.work_done(key, n, "slow") for n, key in enumerate(slow)])
    rig.send([case.work_done(key_in(n % 4, 9), n) for n in range(16)])
    rig.eventually(lambda: len(gate.entered) == 16)
    gate.open(*slow[::2])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 24)
    rig.settle(3)
    rig.crash(first)
    ran.sagas.clear()
    gate.open(*slow)
    rig.worker(service)
    rig.eventually(lambda: len(outcomes.records()) >= 32)
    rig.settle()
    assert sorted(ran.sagas) == sorted(f"{key}@{n}" for n, key in enumerate(slow) if n % 2)
    assert len(set(outcomes.subjects())) == len(outcomes.records()) == 32


def test_events_of_a_key_are_handled_one_after_the_other_in_their_order(rig: Rig, case: Example) -> None:
    gate = Gate()
    ran = Ran(case, gate)
    rig.worker(rig.service({"finish": ran.handler()}))
    rig.send([case.work_done(SLOW, 0, "slow"), *(case.work_done(SLOW, n) for n in range(1, 50))])
    rig.send([case.work_done(FAST[0], 0)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) == 1)
    rig.settle()
    assert ran.sagas == [f"{SLOW}@0", f"{FAST[0]}@0"]
    gate.open(SLOW)
    rig.eventually(lambda: len(outcomes.records()) == 51)
    assert [saga for saga in ran.sagas if saga.startswith(SLOW)] == [f"{SLOW}@{n}" for n in range(50)]
    mine = [envelope(record).subject for record in outcomes.records() if record.key == SLOW.encode()]
    assert mine == [f"{SLOW}@{n}" for n in range(50)]


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_handlers_run_than_may_be_in_flight(rig: Rig, case: Example, most: int) -> None:
    gate = Gate()
    ran = Ran(case, gate)
    worker = rig.worker(rig.service({"finish": ran.handler()}), max_in_flight=most)
    keys = [key_in(partition, number) for partition in range(4) for number in range(5)]
    rig.send([case.work_done(key, 0, "slow") for key in keys])
    outcomes = rig.of(case.finished.event_type)
    done: set[str] = set()
    while left := len(keys) - len(done):
        rig.eventually(lambda n=left: gate.inside == min(most, n))  # type: ignore[misc]
        rig.settle(3)
        assert gate.inside <= most
        assert worker.runner.in_flight <= most
        done |= set(gate.entered)
        gate.open(*done)
    rig.eventually(lambda: len(outcomes.records()) == len(keys))


def test_a_partition_takes_in_no_more_than_its_metadata_can_list(rig: Rig, case: Example) -> None:
    """All of a key behind a slow one: the partition stands still with 400 unfinished, the others go on."""
    gate = Gate()
    ran = Ran(case, gate)
    service = rig.service({"finish": ran.handler()})
    first = rig.worker(service)
    other = key_in(1)
    rig.send([case.work_done(FAST[0], 0), case.work_done(SLOW, 0, "slow")])
    rig.send([case.work_done(SLOW, n) for n in range(1, 1_500)])
    rig.send([case.work_done(other, n) for n in range(500)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 501)
    rig.settle()
    at = TopicPartition(case.worked.event_type, 0)
    position = rig.position(service, at)
    assert position is not None
    assert len(position.unfinished) <= MAX_UNFINISHED
    rig.crash(first)
    rig.worker(service)
    rig.eventually(lambda: gate.entered == [SLOW, SLOW])
    gate.open(SLOW)
    rig.eventually(lambda: len(outcomes.records()) >= 2_001)
    rig.settle()
    assert len(set(outcomes.subjects())) == len(outcomes.records()) == 2_001
    mine = [envelope(record).subject for record in outcomes.records() if record.key == SLOW.encode()]
    assert mine == [f"{SLOW}@{n}" for n in range(1_500)]
