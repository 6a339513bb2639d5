"""A scope is read in one way, wherever it is read."""

from __future__ import annotations

import pytest

from kafka_saga.wire import control
from kafka_saga.wire.control import Scope, parsed


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


KEY = "acme/shop#7"


@pytest.mark.parametrize(
    ("scope", "is_concerned"),
    [
        (control.of_prefix("acme/"), True),
        (control.of_prefix(KEY), True),
        (control.of_prefix(f"{KEY}@"), False),
        (control.of_prefix("zoo/"), False),
        (control.of_definition("code_review"), True),
        (control.of_definition("code"), False),
        (control.of_step("code_review", "llm"), True),
        (control.of_step("code", "llm"), False),
        (control.of_service("code_review"), False),
    ],
)
def test_a_wide_scope_concerns_sagas_by_their_key_or_their_definition(scope: str, is_concerned: bool) -> None:
    assert control.concerns(scope, "code_review", KEY) is is_concerned
    assert control.is_wide(scope) is (parsed(scope).kind in control.WIDE)


def test_a_scope_of_a_saga_names_it_and_is_not_wide() -> None:
    scope = control.of_saga(f"{KEY}@3f")
    assert control.saga_in(scope) == f"{KEY}@3f"
    assert not control.is_wide(scope)
    assert [control.saga_in(wide) for wide in (control.of_prefix(KEY), control.of_definition("saga"))] == [None, None]


def test_a_scope_of_a_step_names_it_for_its_own_definition() -> None:
    assert control.step_in(control.of_step("code_review", "llm"), "code_review") == "llm"
    assert control.step_in(control.of_step("code_review", "llm"), "code") is None
    assert control.step_in(control.of_definition("code_review"), "code_review") is None
