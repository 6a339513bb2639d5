"""Every record that cannot be read lands in dead.letters with its reason, and the services go on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer

from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STEPS
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Log, publish
from tests.e2e.support.reviews import DIFF, inline, services
from tests.unit.kafka_saga.engine.dead_letters.corpus import CORPUS, SAGA_ID, Case

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

PARTITIONS = 4
Place = tuple[str, int, int]


def test_the_corpus_lands_in_dead_letters_and_the_services_go_on(kafka_bootstrap: str, tmp_path: Path) -> None:
    with Fleet(kafka_bootstrap, tmp_path) as fleet:
        services(fleet, "validator", "ast")
        log = Log(kafka_bootstrap, ["pr.received", "pr.validated", "ast.completed", DEAD_LETTERS, SAGA_STEPS])
        wait = partial(eventually, turn=log.follow, dump=fleet.dump)
        places = written(kafka_bootstrap)
        wait(lambda: places.keys() <= letters(log).keys(), seconds=60, what=f"{len(places)} dead letters")
        publish(kafka_bootstrap, "pr.received", [inline("acme/after-the-flood", 1, DIFF)])
        saga = f"acme/after-the-flood#1@{'b' * 12}"
        wait(lambda: saga in log.sagas("ast.completed"), seconds=60, what="the services to go on")
        wait(lambda: log.has_caught_up, seconds=30, what="the end of the log")

        found = letters(log)
        assert len(found) == sum(map(len, (log.records[DEAD_LETTERS],))), "no record has two letters"
        wrong = {name for place, name in places.items() if not is_right(found[place], CORPUS[name])}
        assert not wrong
        named = sum(case.names_saga for case in CORPUS.values())
        failed = [dict(record.headers)["ce_reason"] for e, record in log.events(SAGA_STEPS) if e.subject == SAGA_ID]
        assert len(failed) == named
        assert all(reason.startswith(b"undecodable: ") for reason in failed)
        assert all(member.is_alive and not member.past for member in fleet.members.values())
        log.close()


def written(bootstrap: str) -> dict[Place, str]:
    """Write the corpus; the name of each case by where it lies."""
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 2_000_000})
    places: dict[Place, str] = {}

    def confirmed(name: str, error: KafkaError | None, message: Message) -> None:
        assert error is None, f"{name}: {error}"
        places[message.topic() or "", message.partition() or 0, message.offset() or 0] = name

    for name, case in CORPUS.items():
        producer.produce(
            case.topic, case.value, case.key, case.partition(PARTITIONS), headers=case.headers,  # type: ignore[arg-type]
            on_delivery=partial(confirmed, name),
        )  # fmt: skip
    assert producer.flush(30) == 0
    assert len(places) == len(CORPUS) >= 50
    return places


def letters(log: Log) -> dict[Place, tuple[bytes | None, bytes | None, dict[str, bytes]]]:
    """Dead letters by the place of what is dead: key, value and headers."""
    found = ((record, dict(record.headers)) for record in log.records[DEAD_LETTERS])
    return {
        (h["dlq_topic"].decode(), int(h["dlq_partition"]), int(h["dlq_offset"])): (record.key, record.value, h)
        for record, h in found
    }


def is_right(letter: tuple[bytes | None, bytes | None, dict[str, bytes]], case: Case) -> bool:
    """Whether a dead letter is the record as it was, with the reason."""
    key, value, headers = letter
    said = headers["dlq_reason"].decode()
    is_whole = (key, value) == (case.key, case.value) and case.headers == [
        (name, given) for name, given in headers.items() if not name.startswith("dlq_")
    ]
    return is_whole and headers["dlq_code"] == case.letter.code.value.encode() and case.letter.reason in said
