"""Intake: plain records become starts with key, envelope and their key's partition; doing it twice changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Headers, Record
from kafka_saga.definition.template import saga_id
from kafka_saga.errors import DecodeError
from kafka_saga.events.event import Event
from kafka_saga.steps.intake import Intake, is_start
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import from_headers
from kafka_saga.wire.ids import start_id
from schemas.events.code_review import PrReceived
from tests.unit.kafka_saga.engine.dead_letters import corpus, examples
from tests.unit.kafka_saga.wire.values import events
from topology.code_review import CODE_REVIEW

NOW = 1_767_225_600_000
CODEC = Codec(CODE_REVIEW.events.values())
INTAKE = Intake(CODE_REVIEW, CODEC, 4, "/services/validator")
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def raw(value: bytes | None, headers: Headers | None = None, key: bytes | None = None) -> Record:
    return Record("pr.received", 1, 5, 0, key, value, headers or [])


@pytest.mark.parametrize("value", [corpus.received(), corpus.good("pr.received")])
@pytest.mark.parametrize("key", [None, b"anything", b"\xff"])
def test_a_plain_record_becomes_a_start(value: bytes, key: bytes | None) -> None:
    start = INTAKE.normalised(raw(value, key=key), NOW)
    envelope = from_headers(start.headers)

    assert (start.topic, start.key, start.partition) == ("pr.received", corpus.KEY, partition_of(corpus.KEY, 4))
    assert start.value == corpus.good("pr.received")
    assert (envelope.subject, envelope.id) == (corpus.SAGA_ID, start_id(corpus.SAGA_ID, "pr.received"))
    assert (envelope.definition, envelope.version, envelope.type) == ("code_review", 1, "pr.received")
    assert (envelope.causation_id, envelope.step, envelope.time) == (None, None, "2026-01-01T00:00:00.000Z")
    assert is_start(CODE_REVIEW, examples.RECEIVED, envelope)


def test_a_trace_that_was_begun_goes_on() -> None:
    start = INTAKE.normalised(raw(corpus.received(), [("traceparent", TRACE.encode())]), NOW)

    found = from_headers(start.headers).traceparent
    assert found is not None
    assert found[:36] == TRACE[:36]
    assert found != TRACE


@pytest.mark.parametrize("given_trace", [b"", b"\xff" * 55, b"-" * 55, TRACE.upper().encode()])
def test_a_trace_that_is_none_begins_anew(given_trace: bytes) -> None:
    broken = INTAKE.normalised(raw(corpus.received(), [("traceparent", given_trace)]), NOW)

    assert broken == INTAKE.normalised(raw(corpus.received()), NOW)


@given(events(PrReceived))
def test_every_valid_event_is_normalised_to_the_same_start_again(event: Event) -> None:
    try:
        saga = saga_id(CODE_REVIEW, event)
    except DecodeError as refused:
        with pytest.raises(DecodeError, match=refused.problem.value):
            INTAKE.normalised(raw(event.model_dump_json().encode()), NOW)
        return
    once = INTAKE.normalised(raw(event.model_dump_json().encode()), NOW)
    headers: list[Any] = once.headers
    twice = INTAKE.normalised(raw(once.value, headers, once.key), NOW)

    assert from_headers(once.headers).subject == saga
    assert (twice.key, twice.value, twice.partition) == (once.key, once.value, once.partition)
    assert from_headers(twice.headers).id == from_headers(once.headers).id


def test_a_number_that_avro_cannot_carry_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match=r"invalid: value: pr\.received cannot be written as Avro"):
        INTAKE.normalised(raw(corpus.received(number=2**63)), NOW)


def test_marks_survive_their_changelog() -> None:
    assert INTAKE.store.decode(INTAKE.store.encode(NOW)) == NOW
