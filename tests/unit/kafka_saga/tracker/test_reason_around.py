from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.explain.around import Around, AtService, DeliveryPlace, Letter
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.wire.control import ControlEntry, Hold
from tests.unit.kafka_saga.tracker.orders import CAREFUL, ORDER
from tests.unit.kafka_saga.tracker.telling import (
    HOUR,
    MIDDAY,
    MINUTE,
    ORDERED,
    SECOND,
    SOMEWHERE,
    begun,
    paid,
    said,
)

NOW = MIDDAY + 4 * MINUTE
STILL = "order.placed[1] stands still: most of its last records could not be read"


def bank(place: DeliveryPlace = DeliveryPlace.QUEUED, instances: int = 1, ahead: int = 0, still: str = "") -> Around:
    return Around(services=(AtService("payment", "bank", instances, place, ahead, still),))


@pytest.mark.parametrize(
    ("around", "sentence"),
    [
        (bank(ahead=12), "is queued since 12:00:00 UTC, 4 min ago, behind 12 others at its service bank."),
        (bank(ahead=1), "is queued since 12:00:00 UTC, 4 min ago, behind 1 other at its service bank."),
        (bank(), "is queued since 12:00:00 UTC, 4 min ago, and is the next at its service bank."),
        (
            bank(instances=0, ahead=1_200),
            "waits, behind 1,200 others, since 12:00:00 UTC, 4 min ago: no instance of its service bank is running. "
            "It goes on when one is.",
        ),
        (bank(DeliveryPlace.TAKEN), "has its work since 12:00:00 UTC, 4 min ago: its service bank is running it."),
        (
            bank(DeliveryPlace.ENDED),
            "has its work since 12:00:00 UTC, 4 min ago: its service bank is done with it, "
            "and the tracker is about to read how it ended.",
        ),
        (
            bank(still=STILL),
            f"has its work since 12:00:00 UTC, 4 min ago, but at its service bank: {STILL}. "
            "It goes on after `saga dlq continue bank`.",
        ),
    ],
)
def test_where_its_work_is_at_its_service(around: Around, sentence: str) -> None:
    story, _ = begun()
    assert said(story, NOW, around) == f"Step payment (attempt 1) {sentence} Then: stock, shipping."


def test_a_service_that_went_down_while_it_ran() -> None:
    story, placed = begun()
    story.progressed("payment", placed, at=MIDDAY + MINUTE)
    assert said(story, NOW, bank(instances=0)) == (
        "Step payment (attempt 1) was running and waits since 12:00:00 UTC, 4 min ago: no instance of its service bank "
        "is running. It goes on when one is. Then: stock, shipping."
    )


def test_the_command_that_starts_a_service_or_the_tracker_is_said_where_there_is_one() -> None:
    story, _ = begun()
    down = replace(bank(instances=0), trackers=0, started_by="saga up")
    assert said(story, NOW, down).endswith(
        "It goes on when one is (`saga up`). Then: stock, shipping. "
        "No tracker is running, so no retry, deadline or command is decided: start one (`saga up`)."
    )


def test_pausing_waits_for_a_service_that_is_down() -> None:
    story, _ = begun()
    story.asked(Act.PAUSE, at=MIDDAY + MINUTE)
    story.ruled(until=MIDDAY + MINUTE + 1)
    assert said(story, NOW, bank(instances=0)) == (
        "Pausing by ann since 12:01:00 UTC, 3 min ago. It waits for step payment, which may be running, to end, "
        "but no instance of its service bank is running; then nothing starts until `saga resume`."
    )


def test_a_paused_step() -> None:
    story, _ = begun()
    hold = ControlEntry(1, paused=Hold("bob", "bank holiday", MIDDAY + MINUTE))
    assert said(story, NOW, Around(wide=Wide(steps=(("stock", hold), ("payment", hold))))) == (
        "Step payment is paused by bob since 12:01:00 UTC, 3 min ago: bank holiday. "
        "Step payment (attempt 1) waits until `saga resume --step order/payment`. Then: stock, shipping."
    )


def test_a_paused_definition_puts_off_a_retry() -> None:
    story, authorized = paid()
    story.failed("stock", authorized, at=MIDDAY + 2 * SECOND, retryable=True)
    hold = ControlEntry(1, paused=Hold("bob", "", MIDDAY + MINUTE))
    assert said(story, NOW, Around(wide=Wide(definition=hold))) == (
        "The definition order is paused by bob since 12:01:00 UTC, 3 min ago. "
        "Step stock (attempt 2 of 3) waits until `saga resume --definition order`. Then: shipping."
    )


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (NOW, "is at 12:15:00 UTC, in 11 min: then the saga fails and is undone."),
        (MIDDAY + 17 * MINUTE, "was at 12:15:00 UTC, 2 min ago, and is about to be decided on."),
    ],
)
def test_a_deadline_ahead_and_one_that_has_just_passed(now: int, sentence: str) -> None:
    story, _ = begun()
    found = said(story, now, ORDERED)
    assert found.startswith("Step payment (attempt 1 of 5) has its work since")
    assert found.endswith(f"Then: stock, shipping. The deadline of step payment {sentence}")


def test_the_deadline_of_the_saga_is_named_with_its_day_if_its_step_has_none() -> None:
    story, _ = paid()
    assert said(story, NOW, ORDERED).endswith(
        "The deadline of the saga is at 2026-01-03 12:00:00 UTC, in 1 d 23 h: then the saga fails and is undone."
    )


def test_a_deadline_that_leads_to_an_incident() -> None:
    story, _ = begun(CAREFUL)
    assert said(story, NOW, Around(definition=CAREFUL)).endswith("in 11 min: then a person is asked.")


def test_a_definition_of_another_version_adds_nothing() -> None:
    story, _ = begun()
    assert said(story, NOW, Around(definition=replace(ORDER, version=2))) == SOMEWHERE


@pytest.mark.parametrize(
    ("around", "sentence"),
    [
        (
            Around(letters=(Letter("1/17", "not Avro."),)),
            "A record of it could not be read: not Avro. See `saga dlq show 1/17`.",
        ),
        (
            Around(letters=(Letter("1/17", ""), Letter("1/18", "not Avro"))),
            "2 records of it could not be read, the last: not Avro. See `saga dlq show 1/18`.",
        ),
        (
            Around(trackers=0),
            "No tracker is running, so no retry, deadline or command is decided: start one (`saga tracker`).",
        ),
        (Around(trackers=1, behind=50), "The tracker is 50.0 s behind: more may have happened."),
        (
            Around(trackers=1, undecided="saga.steps[3] at offset 1436"),
            "A transaction on saga.steps[3] at offset 1436 has no end, so that nobody reads on behind it: "
            "`saga kafka hanging --abort` ends it.",
        ),
    ],
)
def test_what_else_a_person_should_know(around: Around, sentence: str) -> None:
    story, _ = begun()
    assert said(story, NOW, around) == f"{SOMEWHERE} {sentence}"


def test_a_retry_that_is_late_since_no_tracker_runs_says_so_once() -> None:
    story, authorized = paid()
    story.failed("stock", authorized, at=MIDDAY + 2 * SECOND, reason="closed", retryable=True, retry_after=58 * SECOND)
    assert said(story, MIDDAY + HOUR, Around(trackers=0)) == (
        "Step stock should have been tried again 59 min ago: attempt 2 of 3, since attempt 1 failed: closed. "
        "Then: shipping. No tracker is running, so no retry, deadline or command is decided: "
        "start one (`saga tracker`)."
    )
