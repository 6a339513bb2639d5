"""A command lies in the saga's partition, or in all; what the tracker says to it is heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_LIFECYCLE
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.inspection.commands.sending import (
    CommandAnswer,
    CommandVerdict,
    Hearing,
    Keyed,
    SendingError,
    SentCommand,
    answer_of,
    checked_id,
    keyed,
    records_of,
    send,
)
from kafka_saga.wire.control import of_saga, of_step
from tests.unit.kafka_saga.cli.cluster import Answered, answer, command_of
from tests.unit.kafka_saga.cli.given import SAGA, T0, headers_of, log_with, running

ONE = SentCommand("c1", SagaCommand(command=Act.PAUSE, scope=of_saga(SAGA), author="ada", reason="lunch"), (1,))
WIDE = SentCommand(
    "c2", SagaCommand(command=Act.PAUSE, scope=of_step("code_review", "llm"), author="ada"), (0, 1, 2, 3)
)


def test_a_command_to_a_saga_carries_key_subject_and_envelope() -> None:
    (record,) = records_of(ONE, T0)
    headers = {name: value.decode() for name, value in record.headers}
    assert (record.topic, record.partition, record.key) == (SAGA_COMMANDS, 1, b"acme/shop#7")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": "c1",
        "ce_type": "saga.command",
        "ce_source": "/cli",
        "ce_time": "2026-01-01T00:00:00.000Z",
        "ce_subject": SAGA,
        "content-type": "application/avro",
    }
    assert command_of(record.value) == ONE.command


def test_a_wide_command_is_the_same_record_in_every_partition() -> None:
    records = list(records_of(WIDE, T0))
    assert [record.partition for record in records] == [0, 1, 2, 3]
    assert {(record.key, record.value, tuple(record.headers)) for record in records} == {
        (b"step:code_review/llm", records[0].value, tuple(records[0].headers))
    }
    assert "ce_subject" not in dict(records[0].headers)


def test_the_request_that_a_command_is_of_travels_with_it() -> None:
    request = Keyed("mine", "ab12" * 8, 3)
    for asked in (ONE, WIDE):
        for sent in records_of(replace(asked, request=request), T0):
            record = Record(sent.topic, sent.partition, 0, T0, sent.key, sent.value, sent.headers)
            assert keyed(record) == request


@pytest.mark.parametrize(
    ("name", "value"),
    [("ce_requestkey", b""), ("ce_requestprint", None), ("ce_requestsize", b"many"), ("ce_requestsize", b"9" * 20)],
)
def test_a_command_that_does_not_say_of_which_request_it_is_is_of_none(name: str, value: bytes | None) -> None:
    (sent,) = records_of(replace(ONE, request=Keyed("mine", "ab12")), T0)
    headers = [(known, one) for known, one in sent.headers if known != name]
    found = headers if value is None else [*headers, (name, value)]
    assert keyed(Record(sent.topic, sent.partition, 0, T0, sent.key, sent.value, found)) is None


def test_what_is_said_to_another_command_under_the_same_id_is_no_answer() -> None:
    hearing = Hearing([ONE])
    for wrong in ({"command": Act.CANCEL}, {"author": "eve"}, {"reason": "dinner"}):
        hearing.take(said_to(ONE.command.model_copy(update=wrong), "another command was given"))
        assert not hearing.is_over
    hearing.take(said_to(ONE.command, ""))
    assert hearing.answers() == [CommandAnswer(ONE, CommandVerdict.ACCEPTED)]


def said_to(command: SagaCommand, why: str) -> Record:
    """What the tracker says to a command under the id of `ONE`."""
    (asked,) = records_of(ONE, T0)
    told = answer(command, asked, why)
    return Record(told.topic, told.partition, 0, T0, told.key, told.value, told.headers)


def test_what_the_tracker_says_is_the_answer() -> None:
    cluster = Answered(log_with({}), lambda command, _: "" if command.scope.startswith("step:") else "it has ended")
    assert send(cluster, [ONE, WIDE], 1) == [
        CommandAnswer(ONE, CommandVerdict.REFUSED, "it has ended"),
        CommandAnswer(WIDE, CommandVerdict.ACCEPTED),
    ]


def test_a_wide_command_is_accepted_when_all_partitions_have_said_so() -> None:
    halves = Answered(log_with({}), lambda _, number: "" if number < 2 else None)
    assert send(halves, [WIDE], 0.05) == [CommandAnswer(WIDE, CommandVerdict.SILENT, "accepted in 2 of 4 partitions")]
    one_refuses = Answered(log_with({}), lambda _, number: "no" if number == 3 else "")
    assert send(one_refuses, [WIDE], 1) == [
        CommandAnswer(WIDE, CommandVerdict.REFUSED, "no (accepted in 3 of 4 partitions)")
    ]


def test_a_tracker_that_is_away_is_silent_and_the_command_stays() -> None:
    log = log_with({})
    assert send(log, [ONE], 0) == [CommandAnswer(ONE, CommandVerdict.SILENT)]
    assert [command_of(record.value) for record in log.records(SAGA_COMMANDS)] == [ONE.command]


def test_what_was_said_before_and_to_others_is_passed_over() -> None:
    (record,) = records_of(SentCommand("other", ONE.command, (1,)), T0)
    (mine,) = records_of(ONE, T0)
    hearing = Hearing([ONE])
    for outgoing in (answer(ONE.command, record, ""), *[answer(ONE.command, mine, "")] * 2):
        hearing.take(Record(SAGA_LIFECYCLE, 1, 0, 0, None, outgoing.value, outgoing.headers))
    assert hearing.answers() == [CommandAnswer(ONE, CommandVerdict.ACCEPTED)]


def test_an_answer_that_cannot_be_read_is_none() -> None:
    broken = Record(SAGA_LIFECYCLE, 1, 0, 0, None, b"\xc3\x01", headers_of("saga.command_refused", "x"))
    other = Record(SAGA_LIFECYCLE, 1, 0, 0, None, b"", headers_of("saga.started", "x"))
    assert (answer_of(broken), answer_of(other)) == (None, None)


def test_many_commands_are_sent_in_several_transactions() -> None:
    cluster = Answered(log_with({SAGA: running()}))
    many = [SentCommand(f"c{number}", ONE.command, (number % 4,)) for number in range(1_200)]
    assert {one.verdict for one in send(cluster, many, 5)} == {CommandVerdict.ACCEPTED}
    assert len(cluster.commands()) == 1_200


def test_without_the_topic_it_is_said_that_nothing_was_given() -> None:
    log = log_with({})
    del log.topics[SAGA_COMMANDS]
    with pytest.raises(SendingError, match=r"^No command was given: .*saga.commands"):
        send(log, [ONE], 0)


@pytest.mark.parametrize("text", ["", "x" * 201, "a\nb"])
def test_an_id_of_ones_own_has_to_fit_a_header(text: str) -> None:
    with pytest.raises(SendingError, match="The id of a command"):
        checked_id(text)
