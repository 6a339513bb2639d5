"""Actions are what the tracker would obey now, and nothing else: both are asked in the same world."""

from __future__ import annotations

import pytest

from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.actions import actions_for, why_not
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import SagaStatus
from tests.unit.kafka_saga.views.http_api.reviews import REVIEWS, pull_request, reviews

PLAN = saga_plan(REVIEWS)


def offered(test: SagaTest, saga_id: str) -> dict[str, tuple[str, ...]]:
    """The commands that apply to a saga, each with its steps."""
    found = actions_for(test.system.saga(saga_id), PLAN)
    return {action.command: action.steps for action in found}


def test_a_completed_saga_can_only_be_rewound() -> None:
    with reviews() as test:
        run = test.given(pull_request(1))
        assert offered(test, run.saga_id) == {"rewind": ("validate", "ast", "llm", "comment")}


def test_a_failed_step_can_be_retried_redriven_and_skipped_by_its_outcome() -> None:
    with reviews() as test:
        run = test.given(pull_request(2, "broken"))
        actions = {one.command: one for one in actions_for(run.state, PLAN)}
        assert set(actions) == {"pause", "cancel", "retry", "redrive", "rewind", "skip"}
        assert (actions["retry"].step, actions["retry"].label) == ("llm", "Retry llm")
        assert actions["skip"].outcomes == {"llm": ("llm.completed",)}


def test_a_paused_saga_can_be_resumed_and_not_paused_again() -> None:
    with reviews() as test:
        run = test.given(pull_request(3, "busy"))
        run.pause("lunch")
        assert run.status is SagaStatus.PAUSED
        found = offered(test, run.saga_id)
        assert "resume" in found
        assert {"pause", "retry"}.isdisjoint(found)


def test_without_its_definition_nothing_is_offered() -> None:
    with reviews() as test:
        run = test.given(pull_request(1))
        assert actions_for(run.state, None) == ()
        assert "not known here" in (why_not(run.state, None, Act.PAUSE) or "")


@pytest.mark.parametrize("title", ["Sell hats", "broken", "busy", "nothing"])
def test_the_tracker_obeys_what_is_offered_and_refuses_the_rest(title: str) -> None:
    acts = [act for act in Act if act is not Act.CONTINUE]
    for act in acts:
        with reviews() as test:
            run = test.given(pull_request(1, title))
            why = why_not(run.state, PLAN, act, "llm" if act is Act.REWIND else None)
            test.command(act, run.saga_id, step="llm" if act is Act.REWIND else None)
            answers = [dict(record.headers)["ce_type"] for record in test.system.records("saga.lifecycle")]
            accepted = b"saga.command_accepted" in answers
            assert accepted is (why is None), (act, why)
