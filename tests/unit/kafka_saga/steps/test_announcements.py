"""What a service says of itself on the log: which steps it does, what it reads, and what it understands."""

from __future__ import annotations

import json
import logging

import msgspec
import pytest

from examples.order.definition import ORDER
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.broker.records import Record
from kafka_saga.definition.rules.names import NAME
from kafka_saga.definition.topics import SAGA_DEFINITIONS
from kafka_saga.steps.announcements import WIRE, Announced, Announcement, StepOf, announced_in, encode, take
from kafka_saga.steps.definition_registry import encode as encoded_statement
from kafka_saga.steps.definition_registry import stated, stated_in
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN

ONE = Announcement("bank", (StepOf("order", 1, "payment"),), ("order.placed",))
TWO = Announcement("bank", (), ())


def record(key: str | None, value: bytes | None, at: int = 7) -> Record:
    return Record(SAGA_DEFINITIONS, 0, 0, at, None if key is None else key.encode(), value, [])


def test_a_service_announces_the_steps_that_it_does() -> None:
    handlers = {step: HANDLERS[step] for step in ("payment", "shipping")}
    undoing = {step: COMPENSATIONS[step] for step in handlers}
    service = Service("shop", {ORDER: handlers}, compensations={ORDER: undoing})
    assert service.announcement == Announcement(
        "shop",
        (StepOf("order", 1, "payment"), StepOf("order", 1, "shipping")),
        ("order.placed", "stock.reserved"),
        WIRE,
    )


def test_it_is_json_that_any_language_reads() -> None:
    assert json.loads(encode(ONE)) == {
        "service": "bank",
        "steps": [{"definition": "order", "version": 1, "step": "payment"}],
        "reads": ["order.placed"],
        "wire": 1,
    }
    assert announced_in(record("service/bank", encode(ONE))) == ONE


def test_fields_of_later_versions_are_ignored_and_a_service_that_says_no_more_is_announced() -> None:
    later = json.dumps({**json.loads(encode(ONE)), "wire": 9, "mood": "good"}).encode()
    assert announced_in(record("service/bank", later)) == msgspec.structs.replace(ONE, wire=9)
    assert announced_in(record("service/bank", b'{"service":"bank","steps":[],"reads":[]}')) == TWO


def test_its_key_is_no_definitions_and_the_other_way_round() -> None:
    assert ONE.key == "service/bank"
    assert NAME.fullmatch("service/bank") is None
    assert all(NAME.fullmatch(f"service{rest}") is None for rest in ("/", "/a", "/a@1"))
    statement = record(stated(CHAIN).key, encoded_statement(stated(CHAIN)))
    assert announced_in(statement) is None
    assert stated_in(statement) == stated(CHAIN)


@pytest.mark.parametrize("name", ["bank", "chain@1", "a/b", "@", ""])
def test_who_reads_statements_passes_over_it_without_a_word(name: str, caplog: pytest.LogCaptureFixture) -> None:
    one = msgspec.structs.replace(ONE, service=name)
    with caplog.at_level(logging.WARNING):
        assert stated_in(record(one.key, encode(one))) is None
        assert stated_in(record("weather/today", b"rain")) is None
        assert announced_in(record("weather/today", b"rain")) is None
    assert caplog.records == []


@pytest.mark.parametrize("value", [b"", b"null", b"{", b'{"service":5}', b'{"service":"bank","steps":[{}],"reads":[]}'])
def test_one_that_cannot_be_read_is_said_and_changes_nothing(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    known = {ONE.key: Announced(7, ONE)}
    take(known, record(ONE.key, value))
    assert known == {ONE.key: Announced(7, ONE)}
    assert "announces no service, and is passed over" in caplog.text


def test_one_under_another_name_is_none() -> None:
    assert announced_in(record("service/other", encode(ONE))) is None
    assert announced_in(record(None, encode(ONE))) is None


def test_the_last_counts_and_a_tombstone_takes_it_away() -> None:
    known: dict[str, Announced] = {}
    take(known, record(ONE.key, encode(ONE), 1))
    take(known, record(ONE.key, encode(TWO), 2))
    assert known == {ONE.key: Announced(2, TWO)}
    take(known, record(ONE.key, None, 3))
    assert known == {}
