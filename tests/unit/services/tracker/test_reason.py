from __future__ import annotations

import pytest

from services.tracker.core.reason import length, reason
from tests.unit.services.tracker.history import History
from topology.code_review import CODE_REVIEW

MIDDAY = 1_767_225_600_000 + 12 * 3_600_000


def begun() -> tuple[History, str]:
    history = History(CODE_REVIEW)
    return history, history.started(at=MIDDAY)


def test_queued_or_running() -> None:
    history, received = begun()
    history.emitted("validate", "pr.validated", received, at=MIDDAY + 500)
    assert reason(history.state(), MIDDAY + 240_500) == (
        "Step ast (attempt 1) has its work since 12:00:00 UTC, 4 min ago, and has not ended: "
        "it is queued or running at its service. Then: llm, comment."
    )


def test_completed() -> None:
    history, received = begun()
    history.emitted("validate", "pr.rejected", received, at=MIDDAY + 1_500)
    assert reason(history.state(), MIDDAY + 9_000) == "Completed by pr.rejected after 1.5 s."


def test_failed() -> None:
    history, received = begun()
    history.failed("validate", received, at=MIDDAY + 90_000, reason="the disk is full")
    assert reason(history.state(), MIDDAY + 99_000) == "Failed after 1 min: step validate: the disk is full."


def test_not_started_as_far_as_is_known() -> None:
    history, received = begun()
    history.emitted("validate", "pr.validated", received, at=MIDDAY)
    del history.facts[0]
    assert reason(history.state(), MIDDAY) == (
        "Not started as far as is known: pr.validated waits for the event that caused it."
    )


def test_an_event_in_the_middle_is_missing() -> None:
    history, received = begun()
    validated = history.emitted("validate", "pr.validated", received, at=MIDDAY)
    history.emitted("ast", "ast.completed", validated, at=MIDDAY)
    del history.facts[1]
    assert reason(history.state(), MIDDAY) == (
        "Step validate (attempt 1) has its work since 12:00:00 UTC, 0 ms ago, and has not ended: "
        "it is queued or running at its service. Then: ast, llm, comment."
    )


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0 ms"),
        (340, "340 ms"),
        (4_240, "4.2 s"),
        (720_000, "12 min"),
        (12_000_000, "3 h 20 min"),
        (187_200_000, "2 d 4 h"),
    ],
)
def test_lengths_read_as_people_say_them(milliseconds: int, text: str) -> None:
    assert length(milliseconds) == text
