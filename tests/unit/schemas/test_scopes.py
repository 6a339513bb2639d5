"""A scope is read in one way, wherever it is read."""

from __future__ import annotations

import pytest

from schemas import control
from schemas.control import Scope, parsed


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        (control.of_saga("acme/shop#7@3f"), Scope(control.SAGA, "acme/shop#7@3f")),
        (control.of_prefix("acme/"), Scope(control.PREFIX, "acme/")),
        (control.of_prefix(" a:b "), Scope(control.PREFIX, " a:b ")),
        (control.of_step("code_review", "llm"), Scope(control.STEP, "code_review", "llm")),
        (control.of_definition("code_review"), Scope(control.DEFINITION, "code_review")),
        (control.of_service("llm"), Scope(control.SERVICE, "llm")),
    ],
)
def test_a_scope_says_what_it_was_made_of(scope: str, wanted: Scope) -> None:
    assert parsed(scope) == wanted


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("", "give saga:KEY@RUN, prefix:TEXT"),
        ("code_review", "give saga:KEY@RUN"),
        ("STEP:code_review/llm", "give saga:KEY@RUN"),
        (" step:code_review/llm", "give saga:KEY@RUN"),
        ("step:code_review", "give step:DEFINITION/STEP"),
        ("step:code_review/", "give step:DEFINITION/STEP"),
        ("step:/llm", "give step:DEFINITION/STEP"),
        ("step:code_review/llm/x", "give step:DEFINITION/STEP"),
        ("step:code review/llm", "give step:DEFINITION/STEP"),
        ("definition:code_review/llm", "give definition:NAME"),
        ("definition:", "give definition:NAME"),
        ("service:a/b", "give service:NAME"),
        ("prefix:", "is empty"),
        ("prefix: \u200b", "is empty"),
        ("prefix:acme\x1b", r"has U\+001B"),
        ("step:code_review/llm\n", r"has U\+000A"),
    ],
)
def test_what_is_no_scope_is_refused_with_what_to_give(scope: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parsed(scope)
