"""One table says which fields belong to which command, and the document says what the table says."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kafka_saga.api.command_fields import NEED_STEP, TAKES
from kafka_saga.api.commands import CommandRequest
from kafka_saga.events.commands import Act

VALUES: dict[str, object] = {"scope": "prefix:acme", "step": "llm", "outcome": "llm.completed", "content": {"a": 1}}


def request(act: Act, *fields: str) -> CommandRequest:
    whom = {} if "scope" in fields else {"saga_ids": ("acme/shop#1@f",)}
    return CommandRequest.model_validate(
        {"command": act.value, "author": "ada", **whom, **{name: VALUES[name] for name in fields}}
    )


def test_every_command_to_sagas_is_in_the_table() -> None:
    assert set(TAKES) == set(Act) - {Act.CONTINUE}
    assert all(fields <= set(VALUES) for fields in TAKES.values())


@pytest.mark.parametrize("act", TAKES)
def test_a_command_takes_what_the_table_says_and_nothing_else(act: Act) -> None:
    needed = ("step",) if act in NEED_STEP else ()
    assert request(act, *sorted(TAKES[act], key=list(VALUES).index)).command is act
    assert request(act, *needed).command is act
    for other in set(VALUES) - TAKES[act]:
        with pytest.raises(ValidationError, match=f"{act} takes no {other}"):
            request(act, *needed, other)


@pytest.mark.parametrize("act", sorted(NEED_STEP))
def test_a_command_that_means_nothing_without_a_step_needs_one(act: Act) -> None:
    with pytest.raises(ValidationError, match=f"{act} needs a step"):
        request(act)


def test_content_without_an_outcome_means_nothing() -> None:
    with pytest.raises(ValidationError, match="content is of an outcome"):
        request(Act.SKIP, "step", "content")


def test_the_document_has_a_shape_for_each_way_to_give_a_command() -> None:
    shapes = CommandRequest.model_json_schema()["oneOf"]
    told = [(one["properties"]["command"]["const"], one["required"][1]) for one in shapes]
    ways = [(act.value, whom) for act in TAKES for whom in ("saga_ids", "selection", "scope")]
    assert told == [(act, whom) for act, whom in ways if whom != "scope" or "scope" in TAKES[Act(act)]]
    for shape in shapes:
        fields = shape["properties"]
        taken = TAKES[Act(fields["command"]["const"])]
        beside = {name for name in ("step", "outcome", "content") if fields.get(name) == {"type": "null"}}
        assert beside == {"step", "outcome", "content"} - taken
