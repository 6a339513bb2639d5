"""Dead letters are published again as they were, once, and marked."""

from __future__ import annotations

from random import Random

import pytest

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.cli.render.letters import letter_json, letter_table
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.errors import ChoreographyError
from kafka_saga.inspection.commands.redriving import Wanted, put_back, wanted
from kafka_saga.inspection.log.dead_letters import dead_letters, letter_at
from kafka_saga.inspection.log.reading import NotFoundError
from tests.unit.kafka_saga.cli.given import headers_of, log_with, shown

ALL = Wanted(all=True)
EVENT = Record("pr.validated", 2, 41, 0, b"acme", b"\x00\x01not avro", headers_of("pr.validated", "e2"))
START = Record("pr.received", 0, 3, 0, None, b'{"a": 1}', [("x-note", b"mine")])


def log() -> MemoryCluster:
    return log_with({}, dead_letter(EVENT, "is no Avro", "ast"), dead_letter(START, "is no start", "validator"))


def test_the_record_goes_back_as_it_was_to_where_it_came_from() -> None:
    cluster = log()
    assert [one.problem for one in put_back(cluster, dead_letters(cluster), "ada", "mended")] == ["", ""]
    (event,) = cluster.records("pr.validated")
    (start,) = cluster.records("pr.received")
    assert (event.partition, event.key, event.value) == (2, b"acme", b"\x00\x01not avro")
    assert event.headers == [*EVENT.headers, ("dlq_redriven", b"2/0")]
    assert (start.partition, start.key, start.value) == (0, None, b'{"a": 1}')
    assert start.headers == [("x-note", b"mine"), ("dlq_redriven", b"0/0")]


def test_a_redriven_letter_is_marked_with_who_and_why_and_not_taken_for_another_one() -> None:
    cluster = log()
    put_back(cluster, [letter_at(cluster, "2/0")], "ada", "mended")
    found = {letter.place: letter for letter in dead_letters(cluster)}
    assert set(found) == {"2/0", "0/0"}
    assert found["2/0"].redriven_at is not None
    assert letter_json(found["0/0"]).redriven_at is None
    assert "redriven; was: is no Avro" in shown(letter_table(list(found.values())), 120)
    (mark,) = [record for record in cluster.records(DEAD_LETTERS) if record.value is None]
    assert dict(mark.headers) == {"dlq_redriven": b"2/0", "dlq_author": b"ada", "dlq_why": b"mended"}
    with pytest.raises(NotFoundError):
        letter_at(cluster, f"2/{mark.offset}")


def test_what_was_redriven_is_not_redriven_again_unless_asked() -> None:
    cluster = log()
    put_back(cluster, dead_letters(cluster), "ada", "")
    found = dead_letters(cluster)
    assert wanted(found, ALL) == []
    assert len(wanted(found, Wanted(all=True, again=True))) == 2
    with pytest.raises(ChoreographyError, match="add --again"):
        wanted(found, Wanted(places=("2/0",)))


@pytest.mark.parametrize(
    ("which", "places"),
    [
        (ALL, {"2/0", "0/0"}),
        (Wanted(topic="pr.validated"), {"2/0"}),
        (Wanted(service="validator"), {"0/0"}),
        (Wanted(topic="pr.validated", service="validator"), set()),
        (Wanted(places=("0/0", "00/0")), {"0/0"}),
    ],
)
def test_they_are_chosen_by_place_topic_or_service(which: Wanted, places: set[str]) -> None:
    assert {letter.place for letter in wanted(dead_letters(log()), which)} == places


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (Wanted(), "Which dead letters"),
        (Wanted(places=("0/0",), topic="x"), "Which dead letters"),
        (Wanted(places=("x",)), "no place"),
        (Wanted(places=("1/9",)), "No dead letter lies at 1/9"),
    ],
)
def test_none_or_one_that_is_not_there_is_refused(which: Wanted, said: str) -> None:
    with pytest.raises(ChoreographyError, match=said):
        wanted(dead_letters(log()), which)


def test_one_that_cannot_go_back_does_not_hold_up_the_others() -> None:
    big = Record("pr.validated", 1, 1, 0, None, Random(1).randbytes(2_000_000), [])
    gone = Record("no.topic", 1, 1, 0, None, b"x", [])
    foreign = Outgoing(DEAD_LETTERS, 3, None, b"x", [])
    cluster = log_with({}, dead_letter(big, "r", "ast"), dead_letter(EVENT, "r", "ast"), dead_letter(gone, "r", "ast"))
    cluster.producer("other").transact([foreign], {}, None)
    done = {one.letter.place: one.problem for one in put_back(cluster, dead_letters(cluster), "ada", "")}
    assert done["2/0"] == ""
    assert "too large" in done["1/0"]
    assert done["1/1"] == "no.topic[1] does not exist any more"
    assert done["3/0"] == "its headers do not say where it came from"
    assert len(cluster.records("pr.validated")) == 1
    assert [letter.place for letter in dead_letters(cluster) if letter.redriven_at is not None] == ["2/0"]
