"""Workers come and go while handlers run: each delivery has one outcome, and a handler that still counts goes on."""

from __future__ import annotations

from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.context import Context
from kafka_saga.worker.service import Handler
from kafka_saga.worker.worker import Worker
from tests.support.example import PARTITIONS, Example, Fact, key_in
from tests.support.gate import Gate
from tests.support.rig import Rig


def gated(case: Example, gate: Gate) -> Handler:
    async def finish(event: Fact, context: Context) -> Fact:
        await gate.passes(event.key)
        return case.finished(key=event.key, number=event.number, text=context.saga_id)

    return finish


def at_once(case: Example, seen: list[str]) -> Handler:
    def finish(event: Fact, context: Context) -> Fact:
        seen.append(context.saga_id)
        return case.finished(key=event.key, number=event.number)

    return finish


def numbers(worker: Worker) -> set[int]:
    return set(worker.runner.working_on())


def test_three_workers_share_the_partitions_and_each_delivery_has_one_outcome(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    service = rig.service({"finish": at_once(case, seen)})
    workers = [rig.worker(service) for _ in range(3)]
    rig.ready(*workers)
    assert sorted(number for worker in workers for number in numbers(worker)) == list(range(PARTITIONS))
    rig.send([case.work_done(f"key{n}", n) for n in range(300)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 300)
    rig.settle()
    assert outcomes.subjects() == sorted(f"key{n}@{n}" for n in range(300))
    assert len(seen) == 300


def test_workers_that_join_and_leave_amid_the_work_lose_and_repeat_nothing(rig: Rig, case: Example) -> None:
    seen: list[str] = []
    service = rig.service({"finish": at_once(case, seen)})
    first, second = rig.worker(service), rig.worker(service)
    outcomes = rig.of(case.finished.event_type)
    for part in range(4):
        rig.send([case.work_done(f"key{n}", part) for n in range(250)])
        rig.eventually(lambda p=part: len(outcomes.records()) >= p * 250 + 25)  # type: ignore[misc]
        match part:
            case 0:
                rig.worker(service)
            case 1:
                rig.stop(first)
            case 2:
                rig.stop(second)
    rig.eventually(lambda: len(outcomes.records()) >= 1_000)
    rig.settle()
    assert outcomes.subjects() == sorted(f"key{n}@{part}" for n in range(250) for part in range(4))
    assert len(seen) == 1_000


def test_a_handler_whose_partition_comes_back_goes_on_and_has_one_outcome(rig: Rig, case: Example) -> None:
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    first = rig.worker(service)
    keys = [key_in(partition) for partition in range(PARTITIONS)]
    rig.send([case.work_done(key, 1) for key in keys])
    rig.eventually(lambda: len(gate.entered) == PARTITIONS)
    second = rig.worker(service)
    rig.ready(first, second)
    kept = [keys[number] for number in sorted(numbers(first))]
    moved = [keys[number] for number in sorted(numbers(second))]
    rig.eventually(lambda: len(gate.entered) == PARTITIONS + len(moved) and len(gate.cancelled) == len(moved))
    rig.settle()
    assert sorted(gate.cancelled) == sorted(moved)
    assert sorted(gate.entered) == sorted([*keys, *moved])
    assert first.runner.in_flight == len(kept)
    gate.open(*keys)
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= PARTITIONS)
    rig.settle()
    assert outcomes.subjects() == sorted(f"{key}@1" for key in keys)
    assert sorted(gate.entered) == sorted([*keys, *moved])


def test_a_handler_that_ends_between_revoke_and_return_is_not_run_again(rig: Rig, case: Example) -> None:
    """It ends while nothing is assigned: its outcome waits until its record comes again."""
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    first = rig.worker(service)
    rig.ready(first)
    keys = [key_in(partition) for partition in range(PARTITIONS)]
    rig.send([case.work_done(key, 1) for key in keys])
    rig.eventually(lambda: len(gate.entered) == PARTITIONS)
    second = rig.worker(service)
    rig.driver.eventually(lambda: not numbers(first), rig.turn)
    gate.open(*keys)
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= PARTITIONS)
    rig.settle()
    assert outcomes.subjects() == sorted(f"{key}@1" for key in keys)
    assert gate.entered.count(keys[min(numbers(first))]) == 1
    assert first.runner.is_idle
    assert second.runner.is_idle


def test_a_handler_survives_many_rebalances(rig: Rig, case: Example) -> None:
    """Wherever its partition goes, one instance runs it: how often it moves is the broker's affair."""
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    first = rig.worker(service)
    key = key_in(0)  # the oldest member's partition under the range assignor in memory
    rig.send([case.work_done(key, 1)])
    rig.eventually(lambda: gate.inside == 1)
    for _ in range(3):
        other = rig.worker(service)
        rig.ready(first, other)
        rig.eventually(lambda: gate.inside == 1)
        rig.stop(other)
        rig.ready(first)
        rig.eventually(lambda: gate.inside == 1)
    gate.open(key)
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 1)
    rig.settle()
    assert outcomes.subjects() == [f"{key}@1"]
    assert len(gate.entered) == 1 + len(gate.cancelled)


def test_what_is_finished_is_committed_as_partitions_go(rig: Rig, case: Example) -> None:
    """A handler that ended just before the worker leaves is not run again by the next one."""
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    first = rig.worker(service)
    key = key_in(2)
    rig.send([case.work_done(key, 1), case.work_done(key_in(1), 1)])
    rig.eventually(lambda: len(gate.entered) == 2)
    gate.open(key)
    rig.driver.eventually(lambda: gate.left == [key], lambda: None)
    rig.stop(first)
    position = rig.position(service, TopicPartition(case.worked.event_type, 2))
    assert position is not None
    assert position.clean
    assert not position.unfinished
    rig.worker(service)
    gate.open(key_in(1))
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 2)
    rig.settle()
    assert outcomes.subjects() == sorted([f"{key}@1", f"{key_in(1)}@1"])
    assert gate.entered.count(key) == 1


def test_a_worker_that_stood_still_too_long_commits_nothing_of_what_has_gone(rig: Rig, case: Example) -> None:
    """Its handlers end while another has taken over; then it comes back."""
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    stalled = rig.worker(service)
    keys = [key_in(partition) for partition in range(PARTITIONS)]
    rig.send([case.work_done(key, 1) for key in keys])
    rig.eventually(lambda: len(gate.entered) == PARTITIONS)
    other = rig.worker(service)
    rig.ready(stalled, other)
    rig.workers.remove(stalled)
    rig.ready(other)
    gate.open(*keys)
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= PARTITIONS)
    rig.workers.append(stalled)
    rig.ready(stalled, other)
    rig.settle()
    assert outcomes.subjects() == sorted(f"{key}@1" for key in keys)
    assert stalled.runner.is_idle
