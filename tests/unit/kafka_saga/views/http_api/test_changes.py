"""What changes is told as it happens, thinned out, and the stream ends in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from kafka_saga.views.http_api import coalescing
from kafka_saga.views.http_api.coalescing import GAP, Coalescer
from kafka_saga.views.http_api.handlers.changes import EVENTS
from kafka_saga.views.port import RestoringError
from tests.unit.kafka_saga.cli.given import completed, running
from tests.unit.kafka_saga.views.http_api.conftest import World, sources_of
from tests.unit.kafka_saga.views.http_api.serving import serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

SAGA, OTHER = running("acme/a#1@x"), running("acme/a#2@y")


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and data of each event, which is as the document says."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            EVENTS[name].model_validate_json(value)
            yield name, json.loads(value)


def test_a_change_is_told_and_an_older_one_is_not_told_after_it(world: World) -> None:
    tables = MemoryTables()
    with serving(sources_of(world.test, tables)) as client, client.stream("/changes") as lines:
        assert next(lines) == "retry: 1000"
        told = events(lines)
        tables.put(replace(SAGA, revision=7))
        name, data = next(told)
        assert (name, data["saga_id"], data["status"], data["revision"]) == ("saga", SAGA.saga_id, "running", 7)


def test_the_changes_of_one_saga_are_told_alone(world: World) -> None:
    tables = MemoryTables()
    with serving(sources_of(world.test, tables)) as client, client.stream("/changes?saga_id=acme/a%232@y") as lines:
        assert next(lines) == "retry: 1000"
        tables.put(SAGA)
        tables.put(OTHER)
        assert next(events(lines))[1]["saga_id"] == OTHER.saga_id


def test_tables_that_cannot_go_on_are_said_and_end_the_stream(world: World) -> None:
    tables = MemoryTables()
    tables.error = RestoringError()
    with serving(sources_of(world.test, tables)) as client, client.stream("/changes") as lines:
        (found,) = events(lines)
        assert (found[0], found[1]["status"]) == ("problem", 503)


def test_a_server_that_stops_ends_its_streams(world: World) -> None:
    tables = MemoryTables()
    ended = threading.Event()
    with serving(sources_of(world.test, tables)) as client:
        stream = client.stream("/changes")
        lines = stream.__enter__()
        assert next(lines) == "retry: 1000"

        def read() -> None:
            for _ in lines:
                pass
            ended.set()

        reader = threading.Thread(target=read)
        reader.start()
    reader.join(20)
    assert ended.is_set()
    assert tables.listening == 0
    stream.__exit__(None, None, None)


def test_of_each_saga_the_latest_is_told_and_not_too_often() -> None:
    waiting = Coalescer()
    waiting.put(SAGA)
    waiting.put(replace(SAGA, revision=5))
    waiting.put(replace(SAGA, revision=4))
    assert [state.revision for state in waiting.take(10.0)] == [5]
    waiting.put(replace(SAGA, revision=6))
    waiting.put(OTHER)
    assert [state.saga_id for state in waiting.take(10.0 + GAP / 2)] == [OTHER.saga_id]
    assert waiting.next_at() == 10.0 + GAP
    assert [state.revision for state in waiting.take(10.0 + GAP)] == [6]
    assert waiting.next_at() is None


def test_what_is_gone_is_not_told_and_too_much_is_told_as_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coalescing, "MOST", 3)
    waiting = Coalescer()
    for number in range(5):
        waiting.put(completed(f"k@{number}"))
    assert (waiting.take_lost(), waiting.take_lost()) == (3, 0)
    waiting.drop("k@4")
    assert [state.saga_id for state in waiting.take(0.0)] == ["k@3"]
