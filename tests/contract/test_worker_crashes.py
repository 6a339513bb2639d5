"""A record that its process dies of, again and again: it fails in the end, and its neighbours do not."""

from __future__ import annotations

from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.context import Context
from kafka_saga.worker.service import Handler, Service
from kafka_saga.worker.worker import Worker
from tests.support.example import PARTITIONS, Example, Fact, key_in
from tests.support.gate import Gate
from tests.support.rig import Rig, header

POISON = key_in(1)
NEIGHBOURS = [key_in(1, 1), key_in(1, 2), key_in(2)]


def gated(case: Example, gate: Gate) -> Handler:
    async def finish(event: Fact, context: Context) -> Fact:
        await gate.passes(event.key)
        return case.finished(key=event.key, number=event.number)

    return finish


def working(rig: Rig, service: Service) -> Worker:
    """A worker that has just taken everything over."""
    worker = rig.worker(service)
    rig.ready(worker)
    return worker


def test_what_processes_die_of_fails_in_the_end_and_what_ran_beside_it_completes(rig: Rig, case: Example) -> None:
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    outcomes, reports = rig.of(case.finished.event_type), rig.reports()
    all_keys = [POISON, *NEIGHBOURS]
    rig.send([case.work_done(key, 1) for key in all_keys])
    for crashes in range(2):
        worker = working(rig, service)
        rig.eventually(lambda n=crashes: sorted(gate.entered) == sorted(all_keys * (n + 1)))  # type: ignore[misc]
        rig.crash(worker)

    gate.open(*NEIGHBOURS)
    worker = working(rig, service)
    rig.eventually(lambda: gate.entered.count(POISON) == 3)
    assert worker.runner.in_flight == 1, "it is worked on alone"
    late = key_in(1, 3)
    gate.open(late)
    rig.send([case.work_done(late, 2)])
    rig.eventually(lambda: f"{late}@2" in outcomes.subjects())
    rig.crash(worker)

    worker = working(rig, service)
    everybody = sorted([f"{late}@2", *(f"{key}@1" for key in NEIGHBOURS)])
    rig.eventually(lambda: outcomes.subjects() == everybody and len(reports.records()) == 1)
    rig.eventually(lambda: worker.runner.is_idle)
    rig.settle()
    (report,) = reports.records()
    assert gate.entered.count(POISON) == 3
    assert outcomes.subjects() == everybody
    assert (header(report, "ce_type"), header(report, "ce_subject")) == ("step.failed", f"{POISON}@1")
    assert (header(report, "ce_code"), header(report, "ce_retryable")) == ("crashed", "false")
    assert header(report, "ce_reason") == "its process died 3 times while it was worked on"


def test_who_dies_of_a_partitions_first_record_leaves_word_of_it(rig: Rig, case: Example) -> None:
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    worker = working(rig, service)
    rig.send([case.work_done(POISON, 1)])
    rig.eventually(lambda: gate.entered == [POISON])
    position = rig.position(service, TopicPartition(case.worked.event_type, 1))
    rig.crash(worker)

    assert position is not None
    assert not position.clean
    assert list(position.unfinished.values()) == [0]


def test_a_handler_that_clean_stops_cut_off_again_and_again_is_no_suspect(rig: Rig, case: Example) -> None:
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    rig.send([case.work_done(POISON, 1)])
    for stops in range(4):
        worker = working(rig, service)
        rig.eventually(lambda n=stops: len(gate.entered) == n + 1)  # type: ignore[misc]
        rig.stop(worker)
        position = rig.position(service, TopicPartition(case.worked.event_type, 1))
        assert position is not None
        assert position.clean
        assert list(position.unfinished.values()) == [0]

    gate.open(POISON)
    working(rig, service)
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: outcomes.subjects() == [f"{POISON}@1"])


def test_rebalances_between_living_workers_make_no_suspects(rig: Rig, case: Example) -> None:
    gate = Gate()
    service = rig.service({"finish": gated(case, gate)})
    first = working(rig, service)
    keys = [key_in(number) for number in range(PARTITIONS)]
    rig.send([case.work_done(key, 1) for key in keys])
    rig.eventually(lambda: len(gate.entered) == PARTITIONS)
    for _ in range(3):
        other = rig.worker(service)
        rig.ready(first, other)
        rig.settle(3)
        rig.stop(other)
        rig.ready(first)
        rig.eventually(lambda: first.runner.in_flight == PARTITIONS)
    rig.settle()
    found = [rig.position(service, TopicPartition(case.worked.event_type, number)) for number in range(PARTITIONS)]

    assert [list(position.unfinished.values()) for position in found if position] == [[0]] * PARTITIONS
