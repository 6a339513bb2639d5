"""Commands as deliveries: what they run under, and what makes one a dead letter."""

from __future__ import annotations

import pytest

from kafka_saga.broker.records import Headers, Outgoing, Record
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Command, Delivery
from kafka_saga.errors import DecodeError
from kafka_saga.steps.deliveries import Deliveries
from kafka_saga.wire.step_commands import RecordReference
from kafka_saga.worker.service import Service
from tests.support import commands
from tests.support.example import PARTITIONS, Fact, commanded

CASE = commanded(compensates=True)
WORK = f"{CASE.work}.work"


def nothing(event: Fact, context: Context) -> None:
    """A handler that is not called."""


HANDLERS, UNDOING = {CASE.work: nothing, "finish": nothing}, {CASE.work: nothing}
(SERVED,) = Service("s", {CASE.saga: HANDLERS}, compensations={CASE.saga: UNDOING}).served
DELIVERIES = Deliveries(CASE.saga, SERVED.jobs, SERVED.undoing, PARTITIONS)


def read(outgoing: Outgoing, offset: int = 7, headers: Headers | None = None) -> Record:
    found = outgoing.headers if headers is None else headers
    return Record(outgoing.topic, outgoing.partition, offset, 0, outgoing.key, outgoing.value, found)


TRIGGER = read(CASE.start("acme", 3))
EXECUTE = commands.Command(TRIGGER, CASE.work, attempt=4, epoch=2, revision=9, ce_id="c-1").execute()
UNDO = commands.Command(read(CASE.work_done("acme", 3)), CASE.work, epoch=2, ce_id="c-2").compensate()


def delivery(outgoing: Outgoing) -> Delivery:
    return DELIVERIES.of(read(outgoing), dict(outgoing.headers))


def test_an_execute_runs_under_its_own_attempt_and_epoch_with_the_trigger_as_the_cause() -> None:
    found = delivery(EXECUTE)

    assert found.envelope.id == dict(TRIGGER.headers)["ce_id"].decode()
    assert (found.envelope.attempt, found.envelope.epoch, found.envelope.subject) == (4, 2, "acme@3")
    assert found.command == Command("c-1", False, RecordReference(CASE.started.event_type, TRIGGER.partition, 7), 9)
    assert (found.job.step.name, found.lane) == (CASE.work, (TRIGGER.partition, b"acme"))


def test_a_compensate_calls_what_undoes() -> None:
    found = delivery(UNDO)

    assert found.job is SERVED.undoing[0]
    assert found.command is not None
    assert found.command.compensates
    assert found.command.reference.topic == CASE.worked.event_type


@pytest.mark.parametrize(
    ("base", "changed", "said"),
    [
        (EXECUTE, {"ce_type": b"step.explode"}, "not step.execute or step.compensate with a cause"),
        (EXECUTE, {"ce_causationid": None}, "not step.execute or step.compensate with a cause"),
        (EXECUTE, {"ce_step": b"another"}, "is for step 'another'"),
        (EXECUTE, {"ce_sagadefinition": b"other"}, "belongs to"),
        (EXECUTE, {"ce_subject": b"other@3"}, "has the key"),
        (EXECUTE, {"ce_reference": None}, "not topic/partition/offset"),
        (EXECUTE, {"ce_reference": b"a/b/c"}, "not topic/partition/offset"),
        (EXECUTE, {"ce_reference": b"\xff/1/2"}, "not in partition"),
        (EXECUTE, {"ce_reference": f"{CASE.started.event_type}/{TRIGGER.partition}/-1".encode()}, "not in partition"),
        (EXECUTE, {"ce_reference": f"{CASE.started.event_type}/99/1".encode()}, "not in partition"),
        (EXECUTE, {"ce_reference": f"{CASE.worked.event_type}/{TRIGGER.partition}/1".encode()}, "not in partition"),
        (UNDO, {"ce_reference": f"{CASE.started.event_type}/{TRIGGER.partition}/1".encode()}, "not in partition"),
        (EXECUTE, {"ce_controlrevision": b"one"}, "not a decimal number"),
    ],
)
def test_a_command_that_is_wrong_says_what_is(base: Outgoing, changed: dict[str, bytes | None], said: str) -> None:
    headers = {**dict(base.headers), **changed}
    given: Headers = [(name, value) for name, value in headers.items() if value is not None]
    with pytest.raises(DecodeError, match=said):
        DELIVERIES.of(read(base, headers=given), dict(given))


def test_a_step_without_compensation_undoes_nothing() -> None:
    headers = {**dict(EXECUTE.headers), "ce_type": b"step.compensate", "ce_step": b"finish"}
    record = Record("finish.work", TRIGGER.partition, 0, 0, b"acme", None, list(headers.items()))
    with pytest.raises(DecodeError, match="has no compensation"):
        DELIVERIES.of(record, dict(headers))


def test_a_command_with_a_wrong_reference_is_reported_as_the_delivery_it_was_to_be() -> None:
    headers: Headers = [*((n, v) for n, v in EXECUTE.headers if n != "ce_reference"), ("ce_reference", b"?")]
    found = DELIVERIES.named_by(read(EXECUTE, headers=headers))

    assert found is not None
    assert found.command is not None
    assert (found.command.id, found.envelope.attempt) == ("c-1", 4)
