"""Heavy handlers: in a child process, whose death is a report and whose killing is its timeout."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.model import Saga
from kafka_saga.engine.context import Context
from kafka_saga.events.event import Event
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import ControlEntry, of_saga
from kafka_saga.wire.envelope import Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import start_id
from tests.support.commands import control
from tests.support.driver import unique
from tests.support.example import PARTITIONS, Example, Fact
from tests.support.heavy import HEAVY, Answered, Asked, answer
from tests.support.rig import Rig, envelope, header


def test_a_child_that_dies_hangs_or_leaves_is_a_report_and_the_others_go_on(
    rig_of: Callable[[Saga], Rig], cluster: Cluster
) -> None:
    rig = rig_of(HEAVY)
    worker = rig.worker(rig.service({"answer": answer}, heavy=["answer"], stateful=True), max_in_flight=4)
    publisher = cluster.publisher()
    for number, text in enumerate(("", "die", "", "hang", "exit", "refuse", "", "")):
        value = json.dumps({"key": f"key{number % 3}", "number": number, "text": text}).encode()
        publisher.publish(Asked.event_type, None, value, [])
    outcomes, reports = rig.of(Answered.event_type), rig.reports()
    rig.eventually(lambda: len(outcomes.records()) + len(reports.records()) >= 8)
    rig.settle(5)
    assert outcomes.subjects() == ["key0@0", "key0@6", "key1@7", "key2@2"]
    said = {envelope(r).subject: header(r, "ce_reason") for r in reports.records()}
    assert "SystemExit: 5" in said["key1@4"]
    found = {envelope(r).subject: (header(r, "ce_reason"), header(r, "ce_retryable")) for r in reports.records()}
    assert found == {
        "key1@1": ("the handler's process died with 9", "true"),
        "key0@3": ("timeout: no result after 6 s", "true"),
        "key1@4": (said["key1@4"], "true"),
        "key2@5": ("not this one", "false"),
    }
    codec = Codec([Answered])
    answers = {envelope(r).subject: codec.decode(Answered.event_type, r.value) for r in outcomes.records()}
    assert os.getpid() not in {event.pid for event in answers.values() if isinstance(event, Answered)}
    # in whatever order the two starts came through intake
    assert sorted(count_of(answers[subject]) for subject in ("key0@0", "key0@6")) == [1, 2]
    assert worker.runner.is_idle
    publisher.close()


def test_a_child_is_heard_of_while_it_works_and_killed_when_its_saga_is_cancelled(
    rig_of: Callable[[Saga], Rig],
) -> None:
    rig = rig_of(HEAVY)
    key = unique("key")
    saga_id = f"{key}@1"
    service = rig.service({"answer": answer}, heavy=["answer"], stateful=True)
    worker = rig.worker(service, progress_interval=1)
    rig.send([asked(key, "hang")])

    def told() -> list[tuple[str, str, str]]:
        mine = [one for one in rig.progress().records() if envelope(one).subject == saga_id]
        return [(header(one, "ce_done"), header(one, "ce_total"), header(one, "ce_reason")) for one in mine]

    rig.eventually(lambda: ("3", "9", "hanging") in told())
    rig.send([control(of_saga(saga_id), ControlEntry(1, cancelled="not wanted"), key)])

    def ended() -> list[str]:
        return [header(one, "ce_code") for one in rig.reports().records() if envelope(one).subject == saga_id]

    rig.eventually(lambda: bool(ended()))
    rig.settle(5)
    assert ended() == ["interrupted"]
    assert worker.runner.in_flight == 0


def asked(key: str, text: str) -> Outgoing:
    """A normalised start."""
    saga_id = f"{key}@1"
    start = Envelope(
        id=start_id(saga_id, Asked.event_type),
        type=Asked.event_type,
        source="/tests",
        time=rfc3339(0),
        subject=saga_id,
        definition=HEAVY.name,
        version=1,
    )
    value = Codec([Asked]).encode(Asked(key=key, number=1, text=text))
    return Outgoing(Asked.event_type, partition_of(key.encode(), PARTITIONS), key.encode(), value, to_headers(start))


def test_a_heavy_handler_that_no_child_can_find_is_a_report(rig: Rig, case: Example) -> None:
    def local(_: Fact, __: Context) -> Fact:
        raise AssertionError

    rig.worker(rig.service({"work": local}, heavy=["work"]))
    rig.send([case.start("acme", 1)])
    reports = rig.reports()
    rig.eventually(lambda: len(reports.records()) >= 1)
    assert header(reports.records()[0], "ce_reason").startswith("unexpected")


def count_of(event: Event) -> int:
    assert isinstance(event, Answered)
    return event.count
