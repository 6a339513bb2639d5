"""Intake, dead letters and their breaker: what becomes of records that nobody put an envelope on."""

from __future__ import annotations

import json

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing
from kafka_saga.engine.context import Context
from kafka_saga.observability.health import why_not_ready
from kafka_saga.worker.service import Handler
from tests.support.example import PARTITIONS, Example, Fact, key_in
from tests.support.rig import Rig, envelope, header


def working(case: Example, seen: list[str]) -> Handler:
    def work(event: Fact, context: Context) -> Fact:
        seen.append(context.saga_id)
        return case.worked(key=event.key, number=event.number)

    return work


def raw(key: str = "acme", number: int = 1, **more: object) -> bytes:
    return json.dumps({"key": key, "number": number, **more}).encode()


KEYS = [
    pytest.param(None, id="no key"),
    pytest.param(b"", id="an empty key"),
    pytest.param(b"acme", id="the business key"),
    pytest.param(b"something else", id="another key"),
    pytest.param(b"\xff\x00", id="a key that is no text"),
]


@pytest.mark.parametrize("key", KEYS)
def test_plain_json_with_any_key_starts_its_saga_once(
    rig: Rig, case: Example, cluster: Cluster, key: bytes | None
) -> None:
    seen: list[str] = []
    rig.worker(rig.service({"work": working(case, seen)}))
    publisher = cluster.publisher()
    publisher.publish(case.started.event_type, key, raw(), [])
    outcomes = rig.of(case.worked.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 1)
    rig.settle()
    assert outcomes.subjects() == seen == ["acme@1"]
    found = [r for r in rig.of(case.started.event_type).records() if header(r, "ce_subject")]
    assert [(r.key, r.partition) for r in found] == [(b"acme", partition_of(b"acme", PARTITIONS))]
    assert envelope(found[0]).definition == case.saga.name
    assert rig.letters().records() == rig.reports().records() == []
    publisher.close()


def test_many_raw_starts_each_run_once_through_a_takeover(rig: Rig, case: Example, cluster: Cluster) -> None:
    seen: list[str] = []
    service = rig.service({"work": working(case, seen)})
    first = rig.worker(service)
    publisher = cluster.publisher()
    for number in range(60):
        publisher.publish(case.started.event_type, None, raw(f"key{number}", number), [])
    second = rig.worker(service)
    outcomes = rig.of(case.worked.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 20)
    rig.stop(first)
    rig.eventually(lambda: len(outcomes.records()) >= 60)
    rig.settle()
    assert outcomes.subjects() == sorted(f"key{n}@{n}" for n in range(60))
    assert len(seen) == 60
    assert second.runner.is_idle
    publisher.close()


def test_the_same_start_again_runs_nothing_and_leaves_a_report(rig: Rig, case: Example, cluster: Cluster) -> None:
    """At once, later, in other clothes, and after another worker has taken over."""
    seen: list[str] = []
    service = rig.service({"work": working(case, seen)})
    first = rig.worker(service)
    publisher = cluster.publisher()
    outcomes, reports = rig.of(case.worked.event_type), rig.reports()
    publisher.publish(case.started.event_type, None, raw(), [])
    publisher.publish(case.started.event_type, b"x", raw(text="again"), [])
    rig.eventually(lambda: len(reports.records()) >= 1)
    rig.send([case.start("acme", 1)])
    rig.eventually(lambda: len(reports.records()) >= 2)
    rig.stop(first)
    rig.worker(service)
    publisher.publish(case.started.event_type, None, raw(), [])
    rig.eventually(lambda: len(reports.records()) >= 3)
    rig.settle()
    assert seen == ["acme@1"]
    assert outcomes.subjects() == ["acme@1"]
    assert {(envelope(r).type, envelope(r).subject) for r in reports.records()} == {("step.skipped", "acme@1")}
    assert len(reports.records()) == 3
    publisher.close()


def test_the_same_start_again_after_a_crash_runs_nothing(rig: Rig, case: Example, cluster: Cluster) -> None:
    seen: list[str] = []
    service = rig.service({"work": working(case, seen)})
    first = rig.worker(service)
    publisher = cluster.publisher()
    outcomes, reports = rig.of(case.worked.event_type), rig.reports()
    for number in range(20):
        publisher.publish(case.started.event_type, None, raw(f"key{number}", 1), [])
    rig.eventually(lambda: len(outcomes.records()) >= 20)
    rig.crash(first)
    rig.worker(service)
    for number in range(20):
        publisher.publish(case.started.event_type, None, raw(f"key{number}", 1), [])
    rig.eventually(lambda: len(reports.records()) >= 20)
    assert len(outcomes.records()) == len(seen) == 20
    publisher.close()


def test_a_service_of_a_later_step_ignores_raw_starts(rig: Rig, case: Example, cluster: Cluster) -> None:
    """Raw records on its own topic are dead letters."""
    seen: list[str] = []
    publisher = cluster.publisher()

    def finish(event: Fact, context: Context) -> Fact:
        seen.append(context.saga_id)
        return case.finished(key=event.key, number=event.number)

    worker = rig.worker(rig.service({"finish": finish}))
    publisher.publish(case.started.event_type, None, raw(), [])
    publisher.publish(case.worked.event_type, b"acme", raw(), [])
    rig.send([case.work_done("acme", 2)])
    outcomes, letters = rig.of(case.finished.event_type), rig.letters()
    rig.eventually(lambda: len(outcomes.records()) >= 1 and len(letters.records()) >= 1)
    rig.settle()
    assert seen == outcomes.subjects() == ["acme@2"]
    assert [header(r, "dlq_topic") for r in letters.records()] == [case.worked.event_type]
    assert worker.runner.is_idle
    publisher.close()


BAD = [
    pytest.param(None, "empty", id="null"),
    pytest.param(b"", "empty", id="empty"),
    pytest.param(b"{", "", id="half JSON"),
    pytest.param(b'{"key": "acme"}', "number", id="a field missing"),
    pytest.param(b'{"key": "acme", "number": "seven"}', "number", id="a field of the wrong type"),
    pytest.param(b'{"key": "", "number": 1}', "", id="a key that is empty"),
    pytest.param(b"\xc3\x01short", "", id="truncated Avro"),
    pytest.param(b"\xff\xfe\x00", "", id="no text"),
]


@pytest.mark.parametrize(("value", "reason"), BAD)
def test_a_start_that_cannot_be_read_is_a_dead_letter_with_its_reason(
    rig: Rig, case: Example, cluster: Cluster, value: bytes | None, reason: str
) -> None:
    seen: list[str] = []
    rig.worker(rig.service({"work": working(case, seen)}))
    publisher = cluster.publisher()
    bad = publisher.publish(case.started.event_type, b"k", value, [("mine", b"\x00\xff")])
    publisher.publish(case.started.event_type, b"k", raw(), [])
    letters, outcomes = rig.letters(), rig.of(case.worked.event_type)
    rig.eventually(lambda: len(letters.records()) >= 1 and len(outcomes.records()) >= 1)
    rig.settle(5)
    (letter,) = letters.records()
    assert (letter.key, letter.value or None) == (b"k", value or None)
    assert dict(letter.headers)["mine"] == b"\x00\xff"
    assert header(letter, "dlq_reason")
    assert reason in header(letter, "dlq_reason")
    assert [header(letter, f"dlq_{what}") for what in ("topic", "partition", "offset")] == [
        bad.topic,
        str(bad.partition),
        str(bad.offset),
    ]
    assert seen == ["acme@1"]
    publisher.close()


def test_an_unreadable_event_of_a_saga_is_a_dead_letter_and_a_failed_report(rig: Rig, case: Example) -> None:
    rig.worker(rig.service({"finish": lambda event, _: case.finished(key=event.key, number=event.number)}))
    good = case.work_done("acme", 1)
    rig.send([Outgoing(good.topic, good.partition, good.key, b"\xc3\x01nonsense here", good.headers)])
    letters, reports = rig.letters(), rig.reports()
    rig.eventually(lambda: len(letters.records()) >= 1 and len(reports.records()) >= 1)
    (report,) = reports.records()
    assert (envelope(report).type, envelope(report).subject) == ("step.failed", "acme@1")
    assert header(report, "ce_retryable") == "false"
    assert header(report, "ce_reason").startswith("undecodable")


def test_a_partition_of_mostly_dead_letters_stands_still_and_the_others_go_on(rig: Rig, case: Example) -> None:
    seen: list[str] = []

    def finish(event: Fact, context: Context) -> Fact:
        seen.append(context.saga_id)
        return case.finished(key=event.key, number=event.number)

    service = rig.service({"finish": finish})
    worker = rig.worker(service)
    topic = case.worked.event_type
    rig.send([Outgoing(topic, 1, b"bad", b"\x00", []) for _ in range(800)])
    rig.eventually(lambda: len(worker.runner.quarantined()) == 1)
    rig.eventually(lambda: len(rig.letters().records()) >= 500)
    rig.settle(5)
    assert [tuple(at) for at in worker.runner.quarantined()] == [(topic, 1)]
    assert any(topic in sentence for sentence in why_not_ready(worker.runner))
    assert len(rig.letters().records()) == 500
    rig.send([case.work_done(key_in(number), 1) for number in (0, 1, 2, 3)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 3)
    rig.settle()
    assert sorted(seen) == outcomes.subjects() == sorted(f"{key_in(number)}@1" for number in (0, 2, 3))
    assert not worker.runner.has_work

    rig.stop(worker)
    rig.worker(service)
    rig.eventually(lambda: len(outcomes.records()) == 4 and len(rig.letters().records()) >= 800)
    rig.settle()
    assert len(rig.letters().records()) == 800
