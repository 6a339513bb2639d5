"""Whatever goes wrong is a problem (RFC 9457) that says what, and what to do; never a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

import pytest

from kafka_saga.api.problems import Problem
from kafka_saga.errors import ChoreographyError, UnavailableError
from kafka_saga.views.http_api.access import refuse_open_writes
from kafka_saga.views.port import OwnerGoneError, RestoringError
from tests.unit.kafka_saga.views.http_api.conftest import World, sources_of
from tests.unit.kafka_saga.views.http_api.serving import Answered, Client, serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

COMMAND = {"command": "pause", "saga_ids": ["acme/shop#3@000000000000"], "author": "ada", "dry_run": True}


def problem(answered: Answered) -> Problem:
    assert answered.headers["Content-Type"] == "application/problem+json"
    found = Problem.model_validate_json(answered.body)
    assert found.status == answered.status
    assert b"Traceback" not in answered.body
    return found


@pytest.fixture
def broken(world: World) -> Iterator[tuple[Client, MemoryTables]]:
    tables = MemoryTables()
    with serving(sources_of(world.test, tables)) as client:
        yield client, tables


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/../elsewhere", 404),
        ("DELETE", "/sagas", 405),
        ("GET", "/commands", 405),
        ("GET", "/sagas?limit=0", 400),
        ("GET", "/sagas?limit=501", 400),
        ("GET", "/sagas?limit=1&limit=2", 400),
        ("GET", "/sagas?status=sleeping", 400),
        ("GET", "/sagas?colour=red", 400),
        ("GET", "/health?colour=red", 400),
        ("GET", "/sagas?has_incident=maybe", 400),
        ("GET", "/sagas?older_than_s=1_000", 400),
    ],
)
def test_what_cannot_be_asked_is_refused(client: Client, method: str, path: str, status: int) -> None:
    answered = client.ask(method, path, None, {})
    assert problem(answered).status == status
    if status == 405:
        assert answered.headers["Allow"] in {"GET", "POST"}


def test_the_fields_that_are_wrong_are_named(client: Client) -> None:
    found = problem(client.get("/sagas?limit=0&status=sleeping"))
    assert {one.field for one in found.errors} == {"limit", "status.0"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"command": "pause"}', b'{"command": "pause", "author": "a"}',
        b'{"command": "continue", "author": "a", "saga_ids": ["x@y"]}',
        b'{"command": "pause", "author": "a", "saga_ids": ["x@y"], "selection": {"step": "llm"}}',
        b'{"command": "pause", "author": "a", "selection": {}}',
        b'{"command": "pause", "author": "a", "saga_ids": ["x@y"], "colour": 1}',
        b'{"command": "pause", "author": "a", "saga_ids": ["x@y"], "expected": "5"}',
        b'{"command": "pause", "author": "\\ud800", "saga_ids": ["x@y"]}',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_body_that_is_no_command_is_refused(client: Client, body: bytes) -> None:
    assert problem(client.post("/commands", body)).status == 400


def test_a_body_that_is_too_large_or_no_json_is_refused(client: Client) -> None:
    assert problem(client.post("/commands", b" " * (1024 * 1024 + 1))).status == 413
    assert problem(client.post("/commands", b"{}", Content_Type="text/plain")).status == 415


@pytest.mark.parametrize("error", [RestoringError(retry_after_s=3.0), OwnerGoneError(2, retry_after_s=2.2)])
def test_tables_that_cannot_answer_are_a_503_with_when_to_ask_again(
    broken: tuple[Client, MemoryTables], error: Exception
) -> None:
    client, tables = broken
    tables.error = error
    for path in ("/sagas", "/sagas/a%40b", "/incidents", "/figures", "/topology"):
        answered = client.get(path)
        found = problem(answered)
        assert (found.status, found.retry_after, answered.headers["Retry-After"]) == (503, 3, "3")
        assert "ask again in" in found.detail


def test_a_mistake_of_ours_is_a_500_that_names_a_line_of_the_log(
    broken: tuple[Client, MemoryTables], caplog: pytest.LogCaptureFixture
) -> None:
    client, tables = broken
    tables.error = ZeroDivisionError("secret")
    found = problem(client.get("/sagas"))
    assert found.status == 500
    assert "secret" not in found.detail
    assert found.detail.rpartition(" ")[2].rstrip(".") in caplog.text


def test_without_kafka_sagas_are_shown_and_their_events_are_a_503(world: World) -> None:
    def away() -> NoReturn:
        raise UnavailableError("Kafka does not answer at 127.0.0.1:1")

    sources = replace(sources_of(world.test, MemoryTables([world.state(1)])), cluster=away)
    with serving(sources) as client:
        found = client.get("/sagas/acme%2Fshop%231%40000000000000")
        assert (found.status, found.json["title"]) == (200, None)
        assert client.get("/topology").json["definitions"][0]["steps"][0]["lag"] is None
        assert problem(client.get("/sagas/acme%2Fshop%231%40000000000000/events")).retry_after == 5


def test_writing_needs_the_token_where_there_is_one(world: World) -> None:
    with serving(sources_of(world.test, world.tables, token="s3cret")) as client:  # noqa: S106
        refused = client.post("/commands", COMMAND)
        assert (problem(refused).status, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="saga"')
        assert problem(client.post("/commands", COMMAND, Authorization="Bearer wrong")).status == 401
        assert client.post("/commands", COMMAND, Authorization="Bearer s3cret").status == 200
        assert client.get("/sagas").status == 200
        assert "401" in client.get("/openapi.json").json["paths"]["/commands"]["post"]["responses"]


def test_without_a_token_a_page_of_another_name_cannot_write(client: Client) -> None:
    assert problem(client.post("/commands", COMMAND, Host="evil.example")).status == 403
    assert client.post("/commands", COMMAND, Host="localhost:8420").status == 200


@pytest.mark.parametrize(("host", "token", "is_fine"), [
    ("127.0.0.1", None, True), ("localhost", "", True), ("::1", None, True), ("0.0.0.0", "t", True),
    ("0.0.0.0", None, False), ("192.0.2.1", "", False), ("views.example", None, False),
])  # fmt: skip
def test_an_api_that_others_reach_does_not_start_without_a_token(host: str, token: str | None, is_fine: bool) -> None:
    if is_fine:
        refuse_open_writes(host, token)
    else:
        with pytest.raises(ChoreographyError, match="SAGA_API_TOKEN"):
            refuse_open_writes(host, token)
