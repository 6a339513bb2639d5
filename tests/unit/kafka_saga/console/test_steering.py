from __future__ import annotations

import asyncio

import pytest

from kafka_saga.api.commands import SagaSelection
from kafka_saga.api.problems import Problem, ProblemType
from kafka_saga.events.commands import Act
from tests.unit.kafka_saga.console import samples
from tests.unit.kafka_saga.console.consoles import Console, running

ONE = {"command": "retry", "saga_id": samples.STUCK, "step": "comment", "confirmed": "1", "expected": "1",
       "once": "once-1", "author": "ada", "reason": "the disk\r\nis mended", "back": "/incidents?step=x"}  # fmt: skip


def test_a_command_goes_to_the_api_with_its_author_reason_and_key() -> None:
    async def go() -> Console:
        async with running(api_token="secret-of-the-api") as console:  # noqa: S106  # it opens nothing
            await console.log_in()
            answer = await console.send("/steer", ONE)
            assert answer.status == 303
            assert answer.headers["Location"] == "/incidents?step=x&asked=retry&sagas=1&refused=0"
            return console

    [(request, once, bearer)] = asyncio.run(go()).api.commands
    assert (request.command, request.saga_ids, request.step) == (Act.RETRY, (samples.STUCK,), "comment")
    assert (request.author, request.reason) == ("ada", "the disk\nis mended")
    assert (request.dry_run, request.expected, once, bearer) == (False, 1, "once-1", "Bearer secret-of-the-api")


def test_what_does_not_belong_to_the_command_stays_in_the_form() -> None:
    async def go() -> Console:
        async with running() as console:
            await console.log_in()
            answer = await console.send("/steer", ONE | {"command": "pause", "content": "{", "outcome": "x"})
            assert answer.status == 303
            return console

    [(request, _, _)] = asyncio.run(go()).api.commands
    assert (request.command, request.step, request.outcome, request.content) == (Act.PAUSE, None, None, None)


def test_a_form_that_was_sent_before_with_something_else_says_so() -> None:
    async def go() -> tuple[int, str]:
        async with running() as console:
            await console.log_in()
            console.api.problem = Problem(
                type=ProblemType.KEY_REUSED.urn, title="Key", status=409, detail="Another command", instance="/"
            )
            answer = await console.send("/steer", ONE)
            return answer.status, await answer.text()

    status, page = asyncio.run(go())
    assert status == 409
    assert "That form was sent before" in page
    assert "Load the page again" in page


def test_many_are_asked_back_with_the_count_before_anything_is_sent() -> None:
    async def go() -> tuple[str, Console]:
        async with running() as console:
            await console.log_in()
            answer = await console.send(
                "/steer", {"command": "cancel", "whom": "all", "status": "running", "definition": "code_review",
                           "author": "ada", "back": "/sagas?status=running"},
            )  # fmt: skip
            return await answer.text(), console

    page, console = asyncio.run(go())
    [(request, _, _)] = console.api.commands
    assert request.dry_run
    assert request.selection == SagaSelection(status=("running",), definition="code_review")
    assert "Cancel 2 sagas?" in page
    assert 'name="expected" value="2"' in page
    assert "it has ended" in page
    assert 'name="status" value="running"' in page


def test_what_has_changed_since_the_confirmation_is_said() -> None:
    async def go() -> tuple[int, str]:
        async with running() as console:
            await console.log_in()
            console.api.problem = Problem(
                type="urn:x",
                title="The number has changed",
                status=409,
                detail="It is 3 sagas now, not 1.",
                instance="/",
            )
            answer = await console.send("/steer", ONE)
            return answer.status, await answer.text()

    status, page = asyncio.run(go())
    assert status == 409
    assert "It is 3 sagas now, not 1." in page


@pytest.mark.parametrize(
    ("change", "said"),
    [({"saga_id": ""}, "saga_ids"), ({"command": "explode"}, "command"),
     ({"content": "{", "command": "skip"}, "The content is no JSON"),
     ({"content": '{"a": NaN}', "command": "skip"}, "is not JSON"),
     ({"content": '{"a": 1, "a": 2}', "command": "skip"}, "is given twice"),
     ({"content": "[1]", "command": "skip"}, "no JSON object"), ({"command": "continue"}, "saga dlq continue"),
     ({"reason": "a\x1bb"}, "reason: has U+001B"), ({"reason": "\u202ea"}, "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
     ({"author": "a\nb"}, "author: has U+000A"), ({"scope": "prefix: \u200b", "command": "pause"}, "scope: is empty"),
     ({"command": "rewind", "step": ""}, "rewind needs a step")],
)  # fmt: skip
def test_a_command_that_is_not_complete_is_refused_with_what_is_wrong(change: dict[str, str], said: str) -> None:
    async def go() -> tuple[int, str, int]:
        async with running() as console:
            await console.log_in()
            answer = await console.send("/steer", ONE | change)
            return answer.status, await answer.text(), len(console.api.commands)

    status, page, sent = asyncio.run(go())
    assert (status, sent) == (400, 0)
    assert said in page


def test_without_a_name_the_login_names_the_author() -> None:
    async def go() -> Console:
        async with running() as console:
            await console.log_in("grace")
            await console.send("/steer", ONE | {"author": " "})
            return console

    assert asyncio.run(go()).api.commands[0][0].author == "grace"


def test_a_dead_letter_is_published_again() -> None:
    async def go() -> Console:
        async with running() as console:
            await console.log_in()
            answer = await console.send("/dead-letters/1/3/redrive", {"author": "ada", "reason": "mended"})
            assert answer.status == 303
            return console

    assert asyncio.run(go()).api.redriven == [
        {"author": "ada", "reason": "mended", "again": False, "partition": "1", "offset": "3"}
    ]


def test_a_scope_is_asked_back_and_then_paused_with_what_comes_later() -> None:
    wide = {"command": "pause", "scope": "step:code_review/llm", "author": "ada", "back": "/topology"}

    async def go() -> tuple[str, Console]:
        async with running() as console:
            await console.log_in()
            asked_back = await (await console.send("/steer", wide)).text()
            answer = await console.send("/steer", {**wide, "confirmed": "1", "once": "once-2", "reason": "away"})
            assert answer.status == 303
            return asked_back, console

    page, console = asyncio.run(go())
    dry, given = [request for request, _, _ in console.api.commands]
    assert (dry.scope, dry.dry_run, given.scope, given.dry_run) == (wide["scope"], True, wide["scope"], False)
    assert "Pause all of <bdi>the step code_review/llm</bdi>?" in page
    assert 'name="scope" value="step:code_review/llm"' in page
    assert 'name="expected"' not in page
