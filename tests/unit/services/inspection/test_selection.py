"""Which sagas a command means, and which it cannot mean."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.events.commands import Act
from services.inspection.selection import Selection, SelectionError, check, check_step, matches, wide_scope
from services.tracker.core.state import Incident, SagaState, SagaStatus
from tests.unit.services.cli.given import completed, failed, running

KNOWN = {"code_review": ("validate", "ast", "llm"), "order": ("payment", "ast")}


def with_status(state: SagaState, status: SagaStatus) -> SagaState:
    return replace(state, status=status)


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
    assert matches(Selection(step="ast"), Act.CANCEL, running())
    assert matches(Selection(step="code_review/ast"), Act.CANCEL, running())
    assert not matches(Selection(step="llm"), Act.CANCEL, running())
    assert not matches(Selection(step="validate"), Act.CANCEL, running())
    assert not matches(Selection(step="order/ast"), Act.CANCEL, running())


def test_definition_and_key_prefix_narrow_it() -> None:
    assert matches(Selection(definition="code_review", key_prefix="acme/"), Act.CANCEL, running())
    assert not matches(Selection(definition="order"), Act.CANCEL, running())
    assert not matches(Selection(key_prefix="other/"), Act.CANCEL, running())


@pytest.mark.parametrize(
    ("act", "status", "is_meant"),
    [
        (Act.CANCEL, SagaStatus.RUNNING, True),
        (Act.CANCEL, SagaStatus.PAUSED, True),
        (Act.CANCEL, SagaStatus.COMPENSATING, False),
        (Act.CANCEL, SagaStatus.COMPLETED, False),
        (Act.PAUSE, SagaStatus.PAUSED, False),
        (Act.RESUME, SagaStatus.PAUSING, True),
        (Act.RESUME, SagaStatus.RUNNING, False),
        (Act.RETRY, SagaStatus.RUNNING, False),
        (Act.REWIND, SagaStatus.COMPLETED, True),
        (Act.SKIP, SagaStatus.COMPLETED, False),
    ],
)
def test_without_a_status_only_sagas_are_meant_that_the_act_can_change(
    act: Act, status: SagaStatus, is_meant: bool
) -> None:
    assert matches(Selection(key_prefix="acme"), act, with_status(running(), status)) is is_meant


def test_a_status_means_exactly_those_sagas() -> None:
    selection = Selection(statuses=frozenset({SagaStatus.COMPLETED}))
    assert matches(selection, Act.CANCEL, completed())
    assert not matches(selection, Act.CANCEL, running())


def test_what_has_failed_or_has_an_incident_can_be_redriven_and_retried() -> None:
    everything = Selection(key_prefix="")
    assert matches(everything, Act.REDRIVE, failed())
    assert not matches(everything, Act.RETRY, failed())
    assert not matches(everything, Act.REDRIVE, running())
    stuck = Incident("i", "compensation_failed", "ast", "no", 1, ("retry", "skip"))
    undoing = replace(with_status(running(), SagaStatus.COMPENSATING), incidents=(stuck,))
    assert matches(everything, Act.RETRY, undoing)
    assert matches(everything, Act.SKIP, undoing)


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
