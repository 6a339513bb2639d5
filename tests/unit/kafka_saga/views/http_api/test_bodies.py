"""What a command's request may not be: each is a 4xx problem that says where, and nothing is done."""

from __future__ import annotations

import json
import socket
from typing import get_args

import pytest

from kafka_saga.api.commands import Status
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.views.http_api import app
from kafka_saga.views.http_api.app import PREFIX
from tests.unit.kafka_saga.views.http_api.conftest import World
from tests.unit.kafka_saga.views.http_api.serving import Answered
from tests.unit.kafka_saga.views.http_api.test_commands import asked

SCOPE = {"command": "pause", "scope": "step:code_review/llm", "author": "ada", "reason": "away"}
DRY = json.dumps(SCOPE | {"dry_run": True}).encode()


def told(answer: Answered) -> str:
    """All that a problem says."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    return f"{answer.json['detail']} {' '.join(one['field'] for one in answer.json.get('errors', ()))}"


def refused(world: World, body: object, status: int = 400, **headers: str) -> Answered:
    before = asked(world.test)
    answer = world.client.post("/commands", body, **headers)
    assert answer.status == status, answer
    assert asked(world.test) == before
    return answer


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        ("pause", "step", "llm"), ("pause", "outcome", "llm.completed"), ("resume", "content", {"a": 1}),
        ("cancel", "step", "llm"), ("cancel", "scope", "definition:code_review"), ("retry", "outcome", "llm.completed"),
        ("redrive", "content", {}), ("rewind", "outcome", "llm.completed"), ("skip", "scope", "prefix:acme"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_belong_to_the_command_is_refused_by_its_name(
    world: World, command: str, field: str, value: object
) -> None:
    whom = {} if field == "scope" else {"saga_ids": [world.ids[3]]}
    step = {"step": "llm"} if command in {"rewind", "skip"} else {}
    answer = refused(world, {"command": command, **whom, **step, "author": "ada", field: value})
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert f"{command} takes no {field}" in answer.json["detail"]


@pytest.mark.parametrize("field", ["outcome", "content"])
def test_an_outcome_beside_a_scope_is_refused(world: World, field: str) -> None:
    answer = refused(world, SCOPE | {field: {"outcome": "llm.completed", "content": {}}[field]})
    assert [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize("command", ["rewind", "skip"])
def test_a_command_that_needs_a_step_says_so(world: World, command: str) -> None:
    answer = refused(world, {"command": command, "saga_ids": [world.ids[3]], "author": "ada"})
    assert [one["field"] for one in answer.json["errors"]] == ["step"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("reason", "a\0b"), ("reason", "\x1b[31m"), ("reason", "a\u202eb"), ("reason", "a\r\nb"), ("author", "a\nb"),
        ("author", " "), ("author", "\u200b"), ("author", "\u2067ada"), ("scope", "prefix:"), ("scope", "prefix: \t"),
        ("scope", "prefix:\u202eacme"), ("scope", "prefix:acme\n"), ("scope", "definition:code_review\n"),
    ],
    ids=ascii,
)  # fmt: skip
def test_text_that_is_not_seen_is_refused(world: World, field: str, text: str) -> None:
    answer = refused(world, SCOPE | {field: text})
    assert [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize("selection", [{"key_prefix": " "}, {"key_prefix": "a\0"}, {"definition": "", "step": "llm"}])
def test_a_selection_that_means_nothing_is_refused(world: World, selection: dict[str, str]) -> None:
    answer = refused(world, {"command": "pause", "selection": selection, "author": "ada"})
    assert answer.json["errors"][0]["field"].startswith("selection.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"command": "pause", "command": "resume", ' + DRY[1:], "'command' is given twice"),
        (b'{"comm\\u0061nd": "pause", ' + DRY[1:], "'command' is given twice"),
        (DRY.replace(b"}", b', "wait_s": NaN}'), "body"),
        (DRY.replace(b"}", b', "wait_s": 1e400}'), "wait_s"),
        (DRY.replace(b"}", b', "expected": ' + b"9" * 4_000 + b"}"), "expected"),
        (DRY.replace(b"}", b', "expected": ' + b"9" * 5_000 + b"}"), "body"),
        (DRY.replace(b"away", b"\\ud800"), "body"),
        (DRY.replace(b"away", b"\xed\xa0\x80"), "body"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
        (b"[]", "body"), (b"null", "body"), (b'"pause"', "body"), (b"", "body"), (b"{", "body"),
        (b"\xef\xbb\xbf" + DRY, "body"), (DRY.decode().encode("utf-16"), "body"),
        (DRY.decode().encode("utf-32"), "body"),
    ],
    ids=lambda one: ascii(one[:24]),
)  # fmt: skip
def test_what_is_no_sound_json_object_is_refused(world: World, body: bytes, said: str) -> None:
    assert said in told(refused(world, body))


@pytest.mark.parametrize("content", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}'])
def test_the_content_of_an_outcome_is_sound_json_too(world: World, content: str) -> None:
    body = {"command": "skip", "saga_ids": [world.ids[2]], "author": "ada", "step": "llm", "outcome": "llm.completed"}
    answer = refused(world, f'{json.dumps(body)[:-1]}, "content": {content}}}'.encode())
    assert [one["field"] for one in answer.json["errors"]] == ["body"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-8", 200), ("application/json;charset=UTF8", 200), ("application/json", 200),
        ('application/json; charset="utf-8"', 200), ("application/json; charset=latin-1", 415),
        ("application/json; charset=utf-16", 415), ("application/json; charset=nonsense", 415), ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415), ("application/ld+json", 415),
    ],
)  # fmt: skip
def test_json_is_utf_8(world: World, kind: str, status: int) -> None:
    answer = world.client.post("/commands", DRY, Content_Type=kind)
    assert answer.status == status, answer
    assert status == 200 or "application/problem+json" in answer.headers["Content-Type"]


def test_a_body_that_is_encoded_is_refused_and_not_unpacked(world: World) -> None:
    assert "Content-Encoding" in told(refused(world, DRY, 415, Content_Encoding="gzip"))


@pytest.mark.parametrize(("is_split", "status"), [(False, b"400"), (True, b"408")], ids=["at once", "later"])
def test_a_body_with_wrong_frames_is_refused(
    world: World, is_split: bool, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp never ends a body whose frames break in a later packet than the headers (3.14.5)."""
    monkeypatch.setattr(app, "BODY_WITHIN", 0.2)
    head = f"POST {PREFIX}/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += "Expect: 100-continue\r\n" if is_split else ""
    with socket.create_connection(("127.0.0.1", world.client.port), timeout=20) as connection:
        body = b"no number\r\n{}\r\n0\r\n\r\n"
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + (b"" if is_split else body))
        if is_split:
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # the handler waits for the body now
            connection.sendall(body)
        assert connection.recv(1000).split()[1] == status


def test_a_dead_letter_is_redriven_by_somebody_who_is_seen(world: World) -> None:
    for body in ({"author": "\x1b"}, {"author": "ada", "reason": "\u202e"}):
        answer = world.client.post("/dead-letters/0/0/redrive", body)
        assert answer.status == 400
        assert "leave it out" in answer.json["detail"]


def test_the_statuses_of_a_selection_are_those_of_sagas(world: World) -> None:
    assert set(get_args(Status)) == set(SagaStatus)
    answer = refused(world, {"command": "pause", "selection": {"status": ["asleep"]}, "author": "ada"})
    assert [one["field"] for one in answer.json["errors"]] == ["selection.status.0"]
    assert "'compensating'" in answer.json["detail"]
