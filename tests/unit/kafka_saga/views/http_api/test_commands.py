"""Commands over HTTP reach the tracker, once each, and dead letters go back to where they came from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kafka_saga.broker.records import Record
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import SagaStatus
from tests.unit.kafka_saga.views.http_api.conftest import World, sources_of, told
from tests.unit.kafka_saga.views.http_api.reviews import reviews
from tests.unit.kafka_saga.views.http_api.serving import serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables


@pytest.fixture
def fresh() -> Iterator[World]:
    """A world of one's own, to change."""
    with reviews() as test:
        ids = told(test)
        tables = MemoryTables((test.system.saga(one) for one in ids.values()), now=test.system.clock.now())
        with serving(sources_of(test, tables)) as client:
            yield World(test, tables, client, ids)


def asked(test: SagaTest) -> list[str]:
    """The ids of the commands on the log."""
    return [dict(record.headers)["ce_id"].decode() for record in test.system.records("saga.commands")]


def test_a_command_is_given_under_the_idempotency_key_and_obeyed(fresh: World) -> None:
    body = {"command": "pause", "saga_ids": [fresh.ids[3]], "author": "ada", "reason": "lunch"}
    answers = [fresh.client.post("/commands", body, Idempotency_Key="mine-1") for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json["command_id"] == "mine-1"
    assert answers[0].json["saga_ids"] == [fresh.ids[3]]
    fresh.test.run()
    assert fresh.state(3).status is SagaStatus.PAUSED
    assert asked(fresh.test).count("mine-1") == 1
    assert [answer.json["repeated"] for answer in answers] == [False, True]
    assert [pause.by for pause in fresh.state(3).pauses] == ["ada"]


def test_a_dry_run_says_whom_it_would_concern_and_does_nothing(fresh: World) -> None:
    before = asked(fresh.test)
    body = {"command": "pause", "selection": {"definition": "code_review"}, "author": "ada", "dry_run": True}
    found = fresh.client.post("/commands", body)
    assert found.status == 200
    assert (found.json["sagas"], found.json["saga_ids"]) == (2, [fresh.ids[2], fresh.ids[3]])
    assert {one["why"] for one in found.json["refused"]} == {"the saga is completed", "the saga is paused already"}
    assert asked(fresh.test) == before


def test_a_selection_is_commanded_if_it_is_as_large_as_was_confirmed(fresh: World) -> None:
    body = {"command": "pause", "selection": {"step": "llm"}, "author": "ada", "expected": 3}
    refused = fresh.client.post("/commands", body)
    assert (refused.status, refused.json["title"]) == (409, "This is not how things stand")
    assert "2 sagas by now" in refused.json["detail"]
    given = fresh.client.post("/commands", body | {"expected": 2}, Idempotency_Key="both")
    assert (given.status, given.json["sagas"]) == (202, 2)
    assert len(set(given.json["command_ids"])) == 2
    fresh.test.run()
    assert fresh.state(2).status is fresh.state(3).status is SagaStatus.PAUSED


def test_a_named_saga_is_commanded_though_the_tables_may_be_behind(fresh: World) -> None:
    body = {"command": "resume", "saga_ids": [fresh.ids[3]], "author": "ada"}
    found = fresh.client.post("/commands", body)
    assert (found.status, found.json["sagas"]) == (202, 1)
    assert found.json["refused"] == [{"saga_id": fresh.ids[3], "why": "the saga is not paused"}]


def test_a_step_is_skipped_with_content_that_fits(fresh: World) -> None:
    body = {"command": "skip", "saga_ids": [fresh.ids[2]], "author": "ada", "step": "llm"}
    outcome = {"outcome": "llm.completed", "content": {"verdict": "clean"}}
    for wrong in ({}, outcome, {"outcome": "pr.rejected", "content": {}}):
        assert fresh.client.post("/commands", body | wrong).status == 400, wrong
    assert fresh.client.post("/commands", body | {"step": "nothing"}).status == 400


@pytest.mark.parametrize("ids", [["acme/shop#9@f"], ["nobody"]])
def test_a_command_to_a_saga_that_is_not_there_is_a_404(fresh: World, ids: list[str]) -> None:
    before = asked(fresh.test)
    found = fresh.client.post("/commands", {"command": "pause", "saga_ids": [fresh.ids[3], *ids], "author": "ada"})
    assert found.status == 404
    assert asked(fresh.test) == before


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_an_idempotency_key_that_cannot_be_an_id_is_refused(fresh: World, key: str) -> None:
    body = {"command": "pause", "saga_ids": [fresh.ids[3]], "author": "ada"}
    assert fresh.client.post("/commands", body, Idempotency_Key=key).status == 400


def test_a_tracker_that_is_waited_for_and_silent_is_pending(fresh: World) -> None:
    body = {"command": "pause", "saga_ids": [fresh.ids[3]], "author": "ada", "wait_s": 0.01}
    (answer,) = fresh.client.post("/commands", body, Idempotency_Key="k").json["answers"]
    assert answer == {"saga_id": fresh.ids[3], "command_id": "k", "answer": "pending", "why": ""}


def test_a_dead_letter_is_listed_and_redriven_once(fresh: World) -> None:
    headers = [("ce_subject", fresh.ids[2].encode()), ("ce_step", b"llm")]
    records = [Record("ast.completed", 0, offset, 0, b"k", b"\x00{", headers) for offset in (7, 8)]
    cluster = fresh.test.system.cluster
    cluster.producer("test").transact([dead_letter(one, "is no JSON", "llm") for one in records], {}, object())
    page = fresh.client.get("/dead-letters?limit=1").json
    (letter,) = page["items"]
    assert (page["total"], letter["original"]) == (2, {"topic": "ast.completed", "partition": 0, "offset": 8})
    assert (letter["saga_id"], letter["step"], letter["raw"], letter["text"]) == (fresh.ids[2], "llm", "AHs=", None)
    rest = fresh.client.get(f"/dead-letters?limit=1&cursor={page['next']}").json
    assert [one["original"]["offset"] for one in rest["items"]] == [7]
    path = f"/dead-letters/{letter['partition']}/{letter['offset']}/redrive"
    assert fresh.client.post(path, {"author": "ada", "reason": "mended"}).json["topic"] == "ast.completed"
    assert fresh.client.post(path, {"author": "ada"}).status == 409
    assert fresh.client.post(path, {"author": "ada", "again": True}).status == 200
    assert fresh.client.get("/dead-letters").json["items"][0]["redriven_at"] is not None
    for nothing in ("/dead-letters/0/999/redrive", "/dead-letters/99/0/redrive", "/dead-letters/x/0/redrive"):
        assert fresh.client.post(nothing, {"author": "ada"}).status == 404


def test_a_scope_is_paused_with_the_sagas_that_come_later_and_resumed(fresh: World) -> None:
    body = {"command": "pause", "scope": "step:code_review/llm", "author": "ada", "reason": "the model is away"}
    dry = fresh.client.post("/commands", body | {"dry_run": True})
    assert (dry.status, dry.json["sagas"]) == (200, 2)
    given = fresh.client.post("/commands", body, Idempotency_Key="wide-1")
    assert (given.status, given.json["command_ids"]) == (202, ["wide-1"])
    partitions = fresh.test.system.cluster.partition_counts()["saga.commands"]
    assert asked(fresh.test).count("wide-1") == partitions
    fresh.test.run()
    held = {one["scope"]: (one["by"], one["reason"]) for one in fresh.client.get("/topology").json["paused"]}
    assert held.keys() == {"step:code_review/comment", "step:code_review/llm"}
    assert held["step:code_review/llm"] == ("ada", "the model is away")
    resumed = fresh.client.post("/commands", body | {"command": "resume"})
    assert resumed.status == 202
    fresh.test.run()
    assert {one["scope"] for one in fresh.client.get("/topology").json["paused"]} == {"step:code_review/comment"}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"scope": "step:code_review/nothing"}, 404),
        ({"scope": "definition:nothing"}, 404),
        ({"scope": "saga:acme/shop#1@x"}, 400),
        ({"scope": "step:llm"}, 400),
        ({"scope": "prefix:"}, 400),
        ({"scope": "definition:code_review", "step": "llm"}, 400),
        ({"scope": "definition:code_review", "command": "cancel"}, 400),
        ({"scope": "definition:code_review", "selection": {"step": "llm"}}, 400),
    ],
)
def test_a_scope_that_means_nothing_is_refused(fresh: World, wrong: dict[str, object], status: int) -> None:
    before = asked(fresh.test)
    found = fresh.client.post("/commands", {"command": "pause", "author": "ada", **wrong})
    assert (found.status, asked(fresh.test)) == (status, before), found.json
