"""A skipped step is given only an outcome that it could have had itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from kafka_saga.inspection.commands.skipping import ContentError, GivenOutcome, content_of, judged
from tests.unit.kafka_saga.cli.given import rejected, running
from tests.unit.kafka_saga.tracker.orders import ORDER
from tests.unit.kafka_saga.tracker.standings import standings
from topology.code_review import CODE_REVIEW

FITTING = rejected().model_dump_json()


def test_an_outcome_of_the_step_whose_content_fits_is_taken() -> None:
    judged(running(), "validate", GivenOutcome("pr.rejected", FITTING), CODE_REVIEW)


@pytest.mark.parametrize(
    ("step", "outcome", "said"),
    [
        ("ast", None, r"the outcome, one of ast\.completed"),
        ("validate", GivenOutcome("ast.completed", "{}"), r"cannot end with 'ast\.completed'; its outcomes are pr\."),
        (
            "validate",
            GivenOutcome("pr.rejected", '{"code": "x"}'),
            "field pull_request: Field required; reason: Field req",
        ),
        ("lmm", GivenOutcome("pr.rejected", FITTING), "code_review has no step 'lmm'; its steps are validate, ast"),
        (
            "validate",
            GivenOutcome("pr.rejected", json.dumps({**json.loads(FITTING), "reasn": 1})),
            "has no field 'reasn'",
        ),
    ],
)
def test_what_does_not_fit_is_said_by_field(step: str, outcome: GivenOutcome | None, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        judged(running(), step, outcome, CODE_REVIEW)


def test_a_definition_that_is_not_known_here_has_to_be_given() -> None:
    with pytest.raises(ContentError, match="give --definition MODULE:ATTRIBUTE"):
        judged(replace(running(), definition="order"), "payment", GivenOutcome("x", "{}"), None)


@pytest.mark.parametrize("standing", ["stuck_compensation", "cancelling", "completed"])
def test_no_outcome_is_asked_for_where_none_would_help(standing: str) -> None:
    judged(standings()[standing], "payment", None, ORDER)


def test_without_the_definition_the_tracker_says_whether_an_outcome_is_missing() -> None:
    judged(running(), "ast", None, None)


def test_content_comes_from_the_command_line_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "it.json").write_text('{"a": "ä"}', encoding="utf-8")
    assert content_of(' {"a" : 1} ') == '{"a":1}'
    assert content_of(f"@{tmp_path / 'it.json'}") == '{"a":"ä"}'


@pytest.mark.parametrize(
    ("text", "said"),
    [("[1]", "array, not an object"), ("{", "--content is no JSON"), ("@/no", "/no cannot be read")],
)
def test_content_that_is_no_json_object_is_refused(text: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        content_of(text)
