"""Scenarios: bad records among good ones end in `dead.letters` with their reason, and the service goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STEPS
from kafka_saga.wire.envelope import to_headers
from schemas.events.code_review import PrValidated
from tests.unit.kafka_saga.engine.dead_letters import corpus, examples
from tests.unit.kafka_saga.engine.dead_letters.corpus import CORPUS, INNER, START, Case
from tests.unit.kafka_saga.engine.dead_letters.service import PARTITIONS, InMemory

OUTCOME = {START: "pr.validated", INNER: "ast.completed"}


def bad(case: Case) -> Outgoing:
    headers: list[Any] = case.headers
    return Outgoing(case.topic, case.partition(PARTITIONS), case.key, case.value, headers)


def good(topic: str, number: int) -> Outgoing:
    """A record of a saga of its own that nothing is wrong with: plain JSON to the start topic, else an event."""
    if topic == START:
        return Outgoing(topic, number % PARTITIONS, None, corpus.received(number=number), [])
    key = f"acme/shop#{number}".encode()
    subject = key + b"@bbbbbbbbbbbb"
    pull_request = examples.PULL_REQUEST.model_copy(update={"number": number})
    event = examples.VALIDATED.model_copy(update={"pull_request": pull_request})
    headers: list[Any] = corpus.with_header(corpus.envelope_of(topic), "ce_subject", subject)
    return Outgoing(topic, partition_of(key, PARTITIONS), key, corpus.codec().encode(event), headers)


def written(service: InMemory, record: Outgoing) -> Record:
    return service.write(record.topic, record.partition, record)


def letters(service: InMemory) -> list[Record]:
    return service.cluster.records(DEAD_LETTERS)


def finished(service: InMemory, topic: str) -> int:
    return len(service.cluster.records(OUTCOME[topic]))


def test_the_corpus_is_large() -> None:
    assert sum(case.topic == START for case in CORPUS.values()) >= 50
    assert sum(case.topic == INNER for case in CORPUS.values()) >= 50


@pytest.mark.parametrize("name", CORPUS)
def test_a_bad_record_among_good_ones_is_a_dead_letter_with_its_reason(name: str, tmp_path: Path) -> None:
    case = CORPUS[name]
    service = InMemory(tmp_path, is_inner=case.topic == INNER)

    written(service, good(case.topic, 100))
    record = written(service, bad(case))
    written(service, good(case.topic, 101))
    service.run()

    (letter,) = letters(service)
    assert finished(service, case.topic) == 2
    assert (letter.key, letter.value, letter.partition) == (case.key, case.value, record.partition)
    assert letter.headers[: len(case.headers)] == case.headers
    said = dict(letter.headers[len(case.headers) :])
    assert case.letter.reason in said.pop("dlq_reason").decode()
    assert said == {
        "dlq_code": case.letter.code.encode(),
        "dlq_topic": record.topic.encode(),
        "dlq_partition": b"%d" % record.partition,
        "dlq_offset": b"%d" % record.offset,
        "dlq_timestamp": b"%d" % record.timestamp,
        "dlq_service": b"ast" if case.topic == INNER else b"validator",
    }


@pytest.mark.parametrize("name", CORPUS)
def test_a_bad_record_that_names_a_saga_is_also_reported_as_failed(name: str, tmp_path: Path) -> None:
    case = CORPUS[name]
    service = InMemory(tmp_path, is_inner=case.topic == INNER)
    record = written(service, bad(case))

    service.run()

    reports = service.cluster.records(SAGA_STEPS)
    assert len(reports) == int(case.names_saga)
    for report in reports:
        headers = dict(report.headers)
        assert headers["ce_type"] == b"step.failed"
        assert headers["ce_subject"] == corpus.SAGA_ID.encode()
        assert headers["ce_retryable"] == b"false"
        assert headers["ce_delivery"] == f"{record.topic}/{record.partition}/{record.offset}".encode()
        assert case.letter.reason in headers["ce_reason"].decode()
        assert (report.key, report.partition) == (record.key, record.partition)


@pytest.mark.parametrize("topic", [START, INNER])
def test_the_whole_corpus_at_once_stops_no_good_record(topic: str, tmp_path: Path) -> None:
    service = InMemory(tmp_path, is_inner=topic == INNER)
    cases = [case for case in CORPUS.values() if case.topic == topic]
    for number, case in enumerate(cases, start=100):
        written(service, bad(case))
        written(service, good(topic, number))

    service.run()

    assert len(letters(service)) == len(cases)
    assert finished(service, topic) == len(cases)
    assert service.worker.runner.quarantined() == ()


ANY_BYTES = st.none() | st.binary(max_size=60)
HEADER_NAMES = st.sampled_from([name for name, _ in to_headers(corpus.some_envelope())]) | st.text(max_size=10)
ANY_HEADERS = st.lists(st.tuples(HEADER_NAMES, ANY_BYTES), max_size=12)


@st.composite
def spoiled(draw: st.DrawFn, topic: str) -> Outgoing:
    """A good record with anything in place of its key, its value, or some of its headers."""
    fine = good(topic, 7)
    replaced: dict[str, bytes | None] = dict(draw(ANY_HEADERS))
    kept = [] if draw(st.booleans()) else corpus.envelope_of(topic)
    headers: list[Any] = list({**dict(kept), **replaced}.items())
    key = draw(st.just(b"acme/shop#7") | ANY_BYTES)
    value = draw(st.just(fine.value) | ANY_BYTES | st.binary().map(lambda body: (fine.value or b"")[:10] + body))
    return Outgoing(topic, draw(st.integers(0, PARTITIONS - 1)), key, value, headers)


@pytest.mark.parametrize("topic", [START, INNER])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_ends_somewhere_and_the_service_goes_on(topic: str, data: st.DataObject, tmp_path: Path) -> None:
    service = InMemory(tmp_path, is_inner=topic == INNER)
    records = data.draw(st.lists(spoiled(topic), min_size=1, max_size=5))
    for record in records:
        written(service, record)
    written(service, good(topic, 1000))

    service.run()

    assert service.worker.runner.is_idle
    ends = service.cluster.records(OUTCOME[topic])
    event = corpus.codec().decode(OUTCOME[topic], ends[-1].value)
    assert any(key_of(end) == b"acme/shop#1000" for end in ends), event
    reports = [r for r in service.cluster.records(SAGA_STEPS) if dict(r.headers)["ce_type"] == b"step.skipped"]
    assert len(letters(service)) + len(ends) + len(reports) >= len(records) + 1


def key_of(record: Record) -> bytes | None:
    return record.key


def test_a_partition_of_nothing_but_bad_records_stands_still_and_the_others_go_on(tmp_path: Path) -> None:
    service = InMemory(tmp_path, is_inner=True)
    case = CORPUS[f"{INNER}: no headers"]
    for _ in range(600):
        written(service, bad(case))
    others = (good(INNER, number) for number in range(100, 200))
    other = next(record for record in others if record.partition != case.partition(PARTITIONS))
    written(service, other)

    service.run()

    assert len(letters(service)) == 500
    assert [at.partition for at in service.worker.runner.quarantined()] == [case.partition(PARTITIONS)]
    assert finished(service, INNER) == 1
    assert not service.worker.runner.has_work


def test_the_examples_are_good(tmp_path: Path) -> None:
    service = InMemory(tmp_path, is_inner=False)
    written(service, good(START, 7))

    service.run()

    (outcome,) = service.cluster.records(OUTCOME[START])
    assert isinstance(corpus.codec().decode(OUTCOME[START], outcome.value), PrValidated)
