"""What came of a review, and the exit code that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.tracker.core.state import SagaState
from schemas.events.code_review import Severity
from services.app.exits import Exit
from services.app.outcome import ReviewOutcome, exit_code, review_json
from services.app.review import FailOn, publish
from services.app.review import shown as review_shown
from tests.unit.kafka_saga.cli.given import (
    HOSTILE,
    T0,
    comments_created,
    completed,
    failed,
    finding,
    llm_completed,
    log_with,
    received,
    rejected,
    running,
    shown,
)

REVIEWED = ReviewOutcome(completed(), llm_completed(finding()), comments_created())


@pytest.mark.parametrize(
    ("outcome", "fail_on", "code"),
    [
        (REVIEWED, FailOn.HIGH, Exit.FINDINGS),
        (REVIEWED, FailOn.LOW, Exit.FINDINGS),
        (REVIEWED, FailOn.CRITICAL, Exit.OK),
        (REVIEWED, FailOn.NEVER, Exit.OK),
        (ReviewOutcome(completed(), llm_completed(finding(Severity.MEDIUM))), FailOn.HIGH, Exit.OK),
        (ReviewOutcome(completed(), llm_completed()), FailOn.LOW, Exit.OK),
        (ReviewOutcome(completed(), rejected=rejected()), FailOn.NEVER, Exit.REJECTED),
        (ReviewOutcome(failed()), FailOn.NEVER, Exit.FAILED),
        (ReviewOutcome(running()), FailOn.NEVER, Exit.TIMEOUT),
    ],
)
def test_the_exit_code_says_what_came_of_it(outcome: ReviewOutcome, fail_on: FailOn, code: Exit) -> None:
    assert exit_code(outcome, fail_on.severity) is code


def test_the_result_shows_findings_coverage_place_and_timeline() -> None:
    text = shown(review_shown(replace(REVIEWED, review=llm_completed(finding(), skipped="binary")), T0, already=True))
    for said in (
        "Head 3f2a9c1b04de was reviewed before: nothing was started",
        "shop/orders.py:17",
        "1 high",
        "2 files: 1 reviewed, 1 skipped",
        "logo.png  skipped: binary",
        "/reviews/7",
        "completed  4.0 s",
    ):
        assert said in text


@pytest.mark.parametrize(("state", "said"), [(failed(), "Failed after 1.5 s: step ast"), (running(), "Step ast")])
def test_a_review_without_result_says_why(state: SagaState, said: str) -> None:
    assert said in shown(review_shown(ReviewOutcome(state), T0 + 2000, already=False))


def test_a_rejection_says_its_reason_and_nothing_steers_the_terminal() -> None:
    text = shown(review_shown(ReviewOutcome(completed(), rejected=rejected(HOSTILE)), T0, already=False))
    assert "Rejected" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_scripts_get_all_of_it() -> None:
    found = review_json(REVIEWED, Exit.FINDINGS, T0, already=False)
    assert (found.exit_code, found.verdict, found.location) == (3, "findings", "/reviews/7")
    assert found.findings[0]["path"] == "shop/orders.py"
    assert found.saga.steps[0].name == "validate"
    turned_away = review_json(ReviewOutcome(completed(), rejected=rejected()), Exit.REJECTED, T0, already=False)
    assert turned_away.rejected == {"code": "nothing_new", "reason": "nothing new"}


def test_a_review_is_asked_for_as_anybody_would() -> None:
    cluster = log_with({})
    publish(cluster, received())
    (record,) = cluster.records("pr.received")
    assert (record.key, record.headers) == (None, [])
    assert record.value is not None
    assert record.value.startswith(b'{"repository":"acme/shop"')
