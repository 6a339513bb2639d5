"""How the log of a run of chaos is cut into histories, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from kafka_saga.broker.records import Record
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.tracker.core.state import SagaState, encode
from kafka_saga.wire.ids import event_id, start_id
from tests.chaos import journal
from tests.chaos.definitions import ERRAND, PARCEL
from tests.chaos.evidence import histories, trace
from tests.chaos.findings import doubled, effects, findings
from tests.chaos.journal import Deed, What
from tests.simulation.seen import SagaName

START = start_id("errand-1@1", "errand.wanted")
FETCHED = event_id(START, "fetch", "errand.fetched", 0, 0)


def test_each_saga_is_in_one_history_of_its_definition_with_all_that_concerns_it() -> None:
    found = [log for log in histories(records(), ERRAND, pieces=7) if log.sagas]
    assert [log.sagas for log in found] == [(SagaName(ERRAND.name, "errand-1@1"),)]
    assert [len(found[0].of(topic)) for topic in ("errand.wanted", "errand.fetched", "saga.control")] == [2, 1, 1]
    assert not any(log.sagas for log in histories(records(), PARCEL, pieces=7))


def test_an_outcome_that_is_there_twice_is_doubled() -> None:
    once, twice = records(), [*records(), fetched(offset=9)]
    assert doubled(histories(once, ERRAND)) == 0
    assert doubled(histories(twice, ERRAND)) == 1


def test_a_start_that_is_there_more_often_than_it_was_published_is_doubled() -> None:
    again = enveloped("errand.wanted", 7, START, "")
    published_again = Record("errand.wanted", 0, 6, 6, None, b'{"key": "errand-1", "run": 1}', [])
    assert doubled(histories([*records(), again], ERRAND)) == 1
    assert doubled(histories([*records(), published_again, again], ERRAND)) == 0


def test_what_is_on_kafka_and_was_never_done_outside_is_found() -> None:
    logs = list(histories(records(), ERRAND))
    assert effects(logs, [done()]).undone == frozenset()
    assert effects(logs, []).undone == {"errand-1@1/fetch/0"}


def test_what_was_done_outside_more_than_once_or_for_nothing_is_counted() -> None:
    other = done()._replace(key="errand-1@1/carry/0")
    figures = effects(histories(records(), ERRAND), [done(), done(), other]).figures
    assert (figures["effects"], figures["again"], figures["orphaned"]) == (3, 1, 1)


def test_a_saga_that_was_published_and_is_not_on_the_log_is_lost() -> None:
    found = findings(by_topic(records()), (PARCEL, ERRAND), [done()], {"errand-1@1", "parcel-2@1"})
    assert "parcel-2@1 was published, and never started" in found.complaints
    assert found.lost > 0


def test_a_view_that_goes_back_is_told() -> None:
    states = [state(revision, offset) for offset, revision in enumerate((1, 3, 2))]
    found = findings(by_topic([*records(), *states]), (ERRAND,), [done()], {"errand-1@1"})
    assert "errand-1@1 went back from revision 3 to 2 at saga.state[0]@2" in found.complaints


def test_a_trace_tells_all_about_a_key_by_log_time() -> None:
    lines = list(trace([fetched(offset=2), state(1, 0), *records()[:2]], "errand-1"))
    assert [line.split()[1] for line in lines] == [
        "saga.state[0]@0", "errand.wanted[0]@0", "errand.wanted[0]@1", "errand.fetched[0]@2",
    ]  # fmt: skip
    assert "ce_step=fetch" in lines[-1]


def test_what_handlers_write_down_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "journal"
    monkeypatch.setenv(journal.FILE, str(file))
    context = Context("errand-1@1", "errand-1", "fetch", 2, 0, BlobStore(str(tmp_path)), compensating=True)
    journal.note(What.BEGUN, context)
    journal.note(What.DONE, context)
    found = list(journal.deeds(file))
    assert [(deed.what, deed.key, deed.undoes) for deed in found] == [
        (What.BEGUN, "errand-1@1/fetch.compensate/0", True),
        (What.DONE, "errand-1@1/fetch.compensate/0", True),
    ]


def records() -> list[Record]:
    """A raw start, its normalised one, an outcome, and an entry that concerns everybody."""
    return [
        Record("errand.wanted", 0, 0, 1, None, b'{"key": "errand-1", "run": 1}', []),
        enveloped("errand.wanted", 1, START, ""),
        fetched(offset=2),
        Record("saga.control", 0, 0, 1, b"step:errand/carry", b'{"revision":1}', []),
    ]


def by_topic(found: Iterable[Record]) -> dict[str, list[Record]]:
    topics: dict[str, list[Record]] = {}
    for each in found:
        topics.setdefault(each.topic, []).append(each)
    return topics


def state(revision: int, offset: int) -> Record:
    value = encode(SagaState("errand-1@1", "errand", 1, 0, revision=revision))
    return Record("saga.state", 0, offset, offset, b"errand-1@1", value, [])


def fetched(offset: int) -> Record:
    return enveloped("errand.fetched", offset, FETCHED, START, ce_step=b"fetch", ce_source=b"/services/errand")


def enveloped(topic: str, offset: int, identity: str, cause: str, **more: bytes) -> Record:
    saga = {"ce_subject": b"errand-1@1", "ce_sagadefinition": b"errand"}
    headers = {**saga, "ce_id": identity.encode(), "ce_causationid": cause.encode(), **more}
    return Record(topic, 0, offset, offset, b"errand-1", b"", [("ce_type", topic.encode()), *headers.items()])


def done() -> Deed:
    return Deed(What.DONE, 5, 1, "errand-1@1/fetch/0", "errand-1@1", "fetch", undoes=False)
