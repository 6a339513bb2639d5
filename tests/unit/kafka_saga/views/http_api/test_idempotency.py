"""A key stands for one request, whichever worker is asked: the same again counts once, another one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from kafka_saga.api.commands import CommandRequest
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.inspection.commands.giving import Order, to_each
from kafka_saga.inspection.commands.sending import API, Keyed, put
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.views.http_api.idempotency import REMEMBERED, IdempotencyKeys
from kafka_saga.views.http_api.problems import ApiError
from kafka_saga.wire.codec import Codec
from tests.unit.kafka_saga.views.http_api.conftest import World, sources_of
from tests.unit.kafka_saga.views.http_api.serving import Answered, Client, serving
from tests.unit.kafka_saga.views.http_api.test_commands import asked, fresh

__all__ = ["fresh"]

URN = "urn:saga:problem:idempotency-key-reused"
SCOPE = {"command": "pause", "scope": "step:code_review/llm", "author": "ada", "reason": "away"}
_commands = Codec((SagaCommand,))


@pytest.fixture
def other(fresh: World) -> Iterator[Client]:
    """Another worker: it shares nothing with the first but Kafka."""
    with serving(sources_of(fresh.test, fresh.tables)) as client:
        yield client


def one(world: World, **more: object) -> dict[str, object]:
    return {"command": "pause", "saga_ids": [world.ids[3]], "author": "ada", "reason": "lunch", **more}


def commands(test: SagaTest) -> list[SagaCommand]:
    found = (_commands.decode("saga.command", record.value) for record in test.system.records("saga.commands"))
    return [command for command in found if isinstance(command, SagaCommand)]


def assert_refused(answer: Answered, key: str) -> None:
    assert (answer.status, answer.json["type"]) == (409, URN), answer.json
    assert key in answer.json["detail"]
    assert "a key of its own" in answer.json["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"command": "cancel"},
        {"command": "retry", "step": "llm"},
        {"reason": "dinner"},
        {"author": "eve"},
        {"expected": 1},
    ],
    ids=str,
)
def test_a_key_used_for_another_command_is_refused_by_every_worker(
    fresh: World, other: Client, change: dict[str, object]
) -> None:
    assert fresh.client.post("/commands", one(fresh), Idempotency_Key="mine").status == 202
    before = asked(fresh.test)
    for client in (fresh.client, other):
        assert_refused(client.post("/commands", one(fresh, **change), Idempotency_Key="mine"), "'mine'")
    assert asked(fresh.test) == before
    assert fresh.client.post("/commands", one(fresh, **change), Idempotency_Key="another").status == 202


def test_a_key_used_for_one_saga_is_refused_for_another_and_for_a_scope(fresh: World, other: Client) -> None:
    assert fresh.client.post("/commands", one(fresh), Idempotency_Key="mine").status == 202
    before = asked(fresh.test)
    whole = {"command": "pause", "selection": {"step": "llm"}, "author": "ada", "reason": "lunch"}
    for body in (one(fresh, saga_ids=[fresh.ids[2]]), SCOPE, whole):
        for client in (fresh.client, other):
            assert_refused(client.post("/commands", body, Idempotency_Key="mine"), "'mine'")
    assert asked(fresh.test) == before


def test_a_scope_that_was_paused_under_a_key_is_not_resumed_under_it(fresh: World, other: Client) -> None:
    assert fresh.client.post("/commands", SCOPE, Idempotency_Key="wide").status == 202
    fresh.test.run()
    before = asked(fresh.test)
    for client in (fresh.client, other):
        assert_refused(client.post("/commands", SCOPE | {"command": "resume"}, Idempotency_Key="wide"), "'wide'")
        again = client.post("/commands", SCOPE, Idempotency_Key="wide")
        assert (again.status, again.json["command_id"], again.json["repeated"]) == (202, "wide", True)
    assert asked(fresh.test) == before
    assert fresh.client.post("/commands", SCOPE | {"command": "resume"}, Idempotency_Key="wide-2").status == 202


def test_the_same_request_again_is_answered_alike_by_every_worker_though_the_sagas_have_changed(
    fresh: World, other: Client
) -> None:
    body = {"command": "pause", "selection": {"step": "llm"}, "author": "ada", "expected": 2}
    first = fresh.client.post("/commands", body, Idempotency_Key="both")
    assert (first.status, first.json["sagas"]) == (202, 2)
    fresh.test.run()
    assert fresh.state(2).status is fresh.state(3).status is SagaStatus.PAUSED
    for number in (2, 3):
        fresh.tables.put(fresh.state(number))
    before = asked(fresh.test)
    for client in (fresh.client, other):
        again = client.post("/commands", body | {"wait_s": 1}, Idempotency_Key="both")
        same = ("command_id", "sagas")
        assert (again.status, [again.json[name] for name in same]) == (202, [first.json[name] for name in same])
        for name in ("command_ids", "saga_ids"):
            assert sorted(again.json[name]) == sorted(first.json[name])
        assert again.json["repeated"]
    assert asked(fresh.test) == before


def test_a_dry_run_uses_no_key(fresh: World) -> None:
    assert fresh.client.post("/commands", one(fresh, dry_run=True), Idempotency_Key="mine").status == 200
    given = fresh.client.post("/commands", one(fresh, command="cancel"), Idempotency_Key="mine")
    assert (given.status, given.json["repeated"]) == (202, False)
    assert fresh.client.post("/commands", one(fresh, dry_run=True), Idempotency_Key="mine").status == 200


def test_what_was_given_in_part_is_completed_by_the_same_request_under_the_same_key(fresh: World) -> None:
    body = {"command": "pause", "selection": {"step": "llm"}, "author": "ada"}
    request = Keyed("both", CommandRequest.model_validate(body).fingerprint, size=2)
    asked_for = to_each([fresh.state(2), fresh.state(3)], Order(Act.PAUSE, "ada", command_id="both"))
    put(fresh.test.system.cluster, [replace(asked_for[0], request=request)], API)
    given = fresh.client.post("/commands", body, Idempotency_Key="both")
    assert (given.status, given.json["sagas"], given.json["repeated"]) == (202, 2, False)
    fresh.test.run()
    assert fresh.state(2).status is fresh.state(3).status is SagaStatus.PAUSED
    assert [len(fresh.state(number).pauses) for number in (2, 3)] == [1, 1]
    assert fresh.client.post("/commands", body, Idempotency_Key="both").json["repeated"]


def test_a_saga_of_a_selection_has_the_same_id_however_many_are_selected(fresh: World) -> None:
    order = Order(Act.PAUSE, "ada", command_id="both")
    both, alone = to_each([fresh.state(2), fresh.state(3)], order), to_each([fresh.state(3)], order)
    assert both[1].id == alone[0].id
    (named,) = to_each([fresh.state(3)], order, is_the_one=True)
    assert named.id == "both"


def test_of_two_commands_sent_at_once_under_one_key_only_one_is_given(fresh: World) -> None:
    bodies = [SCOPE | {"command": command} for command in ("pause", "resume")] * 16
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: fresh.client.post("/commands", body, Idempotency_Key="race"), bodies))
    taken = {body["command"] for body, answer in zip(bodies, answers, strict=True) if answer.status == 202}
    refused = {body["command"] for body, answer in zip(bodies, answers, strict=True) if answer.status == 409}
    assert len(taken) == len(refused) == 1
    assert taken.isdisjoint(refused)
    assert {one.command.value for one in commands(fresh.test) if one.reason == "away"} == taken


def test_two_keys_in_one_request_are_refused(fresh: World) -> None:
    answer = fresh.client.post("/commands", one(fresh), **{"Idempotency-Key": "a", "idempotency-key": "b"})
    assert answer.status == 400
    assert "is given 2 times" in answer.json["detail"]


def test_a_key_is_free_again_after_a_day(fresh: World) -> None:
    keys, cluster, now = IdempotencyKeys(), fresh.test.system.cluster, fresh.test.system.clock.now()
    first, second = Keyed("mine", "a" * 32), Keyed("mine", "b" * 32)
    keys.note(first, now, {"mine": fresh.ids[3]})
    assert keys.find(cluster, first, now + REMEMBERED - 1) is not None
    with pytest.raises(ApiError, match="Another command was given"):
        keys.find(cluster, second, now + REMEMBERED - 1)
    assert keys.find(cluster, second, now + REMEMBERED) is None
