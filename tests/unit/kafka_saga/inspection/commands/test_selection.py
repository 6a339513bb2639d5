"""Which sagas a command means, and which it cannot mean."""

from __future__ import annotations

import pytest

from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.selection import Selection, SelectionError, check, check_step, fits, wide_scope
from kafka_saga.tracker.core.state import SagaStatus
from tests.unit.kafka_saga.cli.given import completed, running

KNOWN = {"code_review": ("validate", "ast", "llm"), "order": ("payment", "ast")}


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(), "Which sagas"),
        (Selection(names=("a",), definition="order"), "not both"),
        (Selection(names=("a",), step="ast"), "not both"),
        (Selection(step="order/payment", definition="code_review"), "--definition says code_review"),
    ],
)
def test_what_does_not_go_together_is_refused(selection: Selection, said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        check(Act.PAUSE, selection)


@pytest.mark.parametrize("act", [Act.RETRY, Act.REDRIVE, Act.SKIP])
def test_a_named_saga_may_be_acted_on_at_a_step(act: Act) -> None:
    check(act, Selection(names=("a",), step="ast"))


def test_a_filter_means_sagas_that_stand_at_the_step() -> None:
    assert fits(Selection(step="ast"), running())
    assert fits(Selection(step="code_review/ast"), running())
    assert not fits(Selection(step="llm"), running())
    assert not fits(Selection(step="validate"), running())
    assert not fits(Selection(step="order/ast"), running())


def test_definition_and_key_prefix_narrow_it() -> None:
    assert fits(Selection(definition="code_review", key_prefix="acme/"), running())
    assert not fits(Selection(definition="order"), running())
    assert not fits(Selection(key_prefix="other/"), running())


def test_a_status_means_exactly_those_sagas() -> None:
    selection = Selection(statuses=frozenset({SagaStatus.COMPLETED}))
    assert fits(selection, completed())
    assert not fits(selection, running())


@pytest.mark.parametrize(
    ("selection", "scope"),
    [
        (Selection(step="llm"), "step:code_review/llm"),
        (Selection(step="order/ast"), "step:order/ast"),
        (Selection(step="ast", definition="order"), "step:order/ast"),
        (Selection(definition="order"), "definition:order"),
        (Selection(key_prefix="acme/"), "prefix:acme/"),
        (Selection(step="billing/pay"), "step:billing/pay"),
        (Selection(definition="billing"), "definition:billing"),
    ],
)
def test_a_whole_step_definition_or_prefix_is_a_scope(selection: Selection, scope: str) -> None:
    assert selection.is_wide(Act.PAUSE)
    assert not selection.is_wide(Act.CANCEL)
    assert wide_scope(Act.PAUSE, selection, KNOWN) == scope


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(step="ast"), "2 definitions have a step ast: give --step code_review/ast or --step order/ast"),
        (Selection(step="lmm"), "No step 'lmm' is known here, only code_review/validate, .*: give --step DEFINITION/"),
        (Selection(key_prefix="a", definition="order"), "add --status"),
    ],
)
def test_a_scope_that_is_not_told_is_refused(selection: Selection, said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        wide_scope(Act.PAUSE, selection, KNOWN)


def test_a_status_makes_a_pause_one_command_for_each_saga() -> None:
    assert not Selection(step="ast", statuses=frozenset({SagaStatus.RUNNING})).is_wide(Act.PAUSE)


def test_a_step_that_the_saga_does_not_have_is_named_with_those_it_has() -> None:
    check_step(running(), "ast")
    with pytest.raises(SelectionError, match="its steps are validate, ast, llm, comment"):
        check_step(running(), "lmm")
