"""Each event of `saga.lifecycle` in the situation that its docstring names, once, whoever is the tracker by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest

from kafka_saga.definition.model import Saga
from kafka_saga.events import lifecycle as told
from kafka_saga.tracker.core.state import StepStatus
from tests.scenarios.happenings import (
    ASKING,
    SAGA,
    UNDOING,
    Around,
    a_command_does_not_apply,
    a_deadline_passes_before_the_outcome_comes,
    a_step_fails_at_first,
    a_step_fails_for_good,
    an_incident_is_solved_by_a_redrive,
    it_completes,
    it_is_cancelled_while_a_step_fails,
    it_is_paused_and_resumed,
    it_yields_to_a_later_one,
    the_sagas_own_deadline_passes,
    two_pauses_last_at_once,
    undoing_fails_at_first,
    undoing_fails_for_good_and_a_person_does_without,
)

L = TypeVar("L", bound=told.Lifecycle)


@dataclass(frozen=True)
class Case:
    """What happens to a saga, and everything that is told of it, in order."""

    definition: Saga
    happens: Callable[[Around], None]
    told: tuple[type[told.Lifecycle], ...]


CASES = (
    Case(ASKING, it_completes, (told.SagaStarted, told.SagaCompleted)),
    Case(
        ASKING, a_step_fails_at_first,
        (told.SagaStarted, told.RetryScheduled, told.SagaRuled, told.SagaCompleted),
    ),
    Case(
        UNDOING, a_step_fails_for_good,
        (told.SagaStarted, told.SagaUndoing, told.SagaRuled, told.SagaCompensated, told.SagaFailed),
    ),
    Case(
        UNDOING, undoing_fails_at_first,
        (
            told.SagaStarted, told.SagaUndoing, told.SagaRuled, told.RetryScheduled, told.SagaRuled,
            told.SagaCompensated, told.SagaFailed,
        ),
    ),
    Case(
        UNDOING, undoing_fails_for_good_and_a_person_does_without,
        (
            told.SagaStarted, told.SagaUndoing, told.SagaRuled, told.RetryScheduled, told.SagaRuled,
            told.IncidentRaised, told.SagaRuled, told.CommandAccepted, told.SagaFailed, told.IncidentSolved,
        ),
    ),
    Case(
        UNDOING, it_is_cancelled_while_a_step_fails,
        (
            told.SagaStarted, told.CommandAccepted, told.SagaUndoing, told.SagaRuled, told.SagaCompensated,
            told.SagaCancelled,
        ),
    ),
    Case(
        UNDOING, a_deadline_passes_before_the_outcome_comes,
        (
            told.SagaStarted, told.DeadlinePassed, told.SagaUndoing, told.SagaRuled, told.SagaCompensated,
            told.SagaFailed, told.LateOutcome,
        ),
    ),
    Case(
        ASKING, a_deadline_passes_before_the_outcome_comes,
        (
            told.SagaStarted, told.DeadlinePassed, told.IncidentRaised, told.SagaCompleted, told.SagaRuled,
            told.IncidentSolved,
        ),
    ),
    Case(
        ASKING, the_sagas_own_deadline_passes,
        (told.SagaStarted, told.IncidentRaised, told.DeadlinePassed, told.IncidentRaised),
    ),
    Case(
        ASKING, it_is_paused_and_resumed,
        (
            told.SagaStarted, told.SagaRuled, told.CommandAccepted, told.SagaPaused, told.SagaRuled,
            told.CommandAccepted, told.SagaResumed, told.SagaCompleted,
        ),
    ),
    Case(
        ASKING, two_pauses_last_at_once,
        (
            told.SagaStarted, told.SagaRuled, told.CommandAccepted, told.SagaRuled, told.SagaPaused, told.SagaRuled,
            told.CommandAccepted, told.SagaRuled, told.SagaResumed, told.SagaCompleted,
        ),
    ),
    Case(
        ASKING, an_incident_is_solved_by_a_redrive,
        (
            told.SagaStarted, told.IncidentRaised, told.CommandAccepted, told.SagaUndoing, told.IncidentSolved,
            told.SagaRuled, told.SagaCompleted,
        ),
    ),
    Case(
        ASKING, a_command_does_not_apply,
        (told.SagaStarted, told.SagaCompleted, told.SagaRuled, told.CommandRefused),
    ),
    Case(
        UNDOING, it_yields_to_a_later_one,
        (
            told.SagaStarted, told.SagaUndoing, told.SagaRuled, told.SagaCompensated, told.SagaCancelled,
            told.LateOutcome,
        ),
    ),
)  # fmt: skip


@pytest.fixture
def around(case: Case, taking_over: bool) -> Iterator[Around]:
    made = Around(case.definition, taking_over=taking_over)
    case.happens(made)
    yield made
    made.world.system.close()


def named(case: Case) -> str:
    return f"{case.happens.__name__}-{case.definition.on_failure.value}"


@pytest.mark.parametrize("taking_over", [False, True], ids=["one-tracker", "another-after-every-act"])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_everything_is_told_once_and_in_order(around: Around, case: Case) -> None:
    assert tuple(map(type, around.told())) == case.told


def test_the_cases_show_every_lifecycle_event() -> None:
    assert {kind for case in CASES for kind in case.told} == set(told.LIFECYCLE)


def only(kind: type[L], definition: Saga, happens: Callable[[Around], None]) -> L:
    """The one event of this type that is told."""
    around = Around(definition, taking_over=False)
    happens(around)
    (found,) = (event for event in around.told() if isinstance(event, kind))
    around.world.system.close()
    return found


@pytest.mark.parametrize(
    ("definition", "happens", "undoes"),
    [(ASKING, a_step_fails_at_first, False), (UNDOING, undoing_fails_at_first, True)],
)
def test_a_retry_says_its_attempt_its_time_and_the_error(
    definition: Saga, happens: Callable[[Around], None], undoes: bool
) -> None:
    retry = only(told.RetryScheduled, definition, happens)
    assert (retry.step, retry.attempt, retry.due - retry.at, retry.reason) == ("book", 2, 1_000, "busy")
    assert retry.is_compensation is undoes


def test_a_resumption_names_who_resumed_and_why() -> None:
    resumed = only(told.SagaResumed, ASKING, it_is_paused_and_resumed)
    assert (resumed.by, resumed.reason) == ("test", "it is fine")
    resumed = only(told.SagaResumed, ASKING, two_pauses_last_at_once)
    assert (resumed.by, resumed.reason) == ("test", "all is well")


def test_a_step_whose_undoing_a_person_has_skipped_is_not_told_as_undone() -> None:
    around = Around(UNDOING, taking_over=False)
    undoing_fails_for_good_and_a_person_does_without(around)
    assert around.world.system.saga(SAGA).step("book").status is StepStatus.DONE
    around.world.system.close()
