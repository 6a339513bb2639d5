from __future__ import annotations

from kafka_saga.events.commands import Act
from tests.unit.kafka_saga.tracker.history import Story, sent
from tests.unit.kafka_saga.tracker.orders import CAREFUL
from tests.unit.kafka_saga.tracker.telling import (
    HOUR,
    MIDDAY,
    MINUTE,
    ORDERED,
    SECOND,
    begun,
    last_sent,
    paid,
    reserved,
    said,
)

# ---- settling


def cancelled() -> Story:
    """Cancelled at 12:01, while step stock is at work."""
    story, _ = paid()
    story.asked(Act.CANCEL, at=MIDDAY + MINUTE, reason="wrong size")
    story.ruled(until=MIDDAY + MINUTE + 1)
    return story


SETTLING = "Cancelled by ann: wrong size (12:01:00 UTC). First step stock, which may still be running, has to end: "


def test_settling_and_until_when_at_the_latest() -> None:
    sentence = f"{SETTLING}that is waited for until 12:06:00 UTC at the latest, in 4 min."
    assert said(cancelled(), MIDDAY + 2 * MINUTE) == sentence
    assert said(cancelled(), MIDDAY + 2 * MINUTE, ORDERED) == sentence


def test_settling_should_have_ended() -> None:
    assert said(cancelled(), MIDDAY + 8 * MINUTE) == (
        f"{SETTLING}the wait should have ended at 12:06:00 UTC, 2 min ago (the tracker is down or behind)."
    )


def test_about_to_be_superseded_and_then_superseded_by_which_saga() -> None:
    story, placed = begun()
    story.rivalled(at=MIDDAY + MINUTE)
    assert said(story, MIDDAY + MINUTE + SECOND) == (
        "Superseded by acme/shop#7@ffffffffffff, which started at 12:01:00 UTC, 1.0 s ago: it is about to be cancelled."
    )
    story.ruled(until=MIDDAY + MINUTE + 1)
    assert said(story, MIDDAY + 2 * MINUTE) == (
        "Superseded by acme/shop#7@ffffffffffff (12:01:00 UTC). First step payment, which may still be running, "
        "has to end: that is waited for until 12:06:00 UTC at the latest, in 4 min."
    )
    story.skipped("payment", placed, at=MIDDAY + 3 * MINUTE, code="superseded")
    story.ruled(until=MIDDAY + 4 * MINUTE)
    assert said(story, MIDDAY + HOUR) == (
        "Cancelled after 4 min: superseded by acme/shop#7@ffffffffffff. No step was undone."
    )


def test_a_redrive_settles_first_and_an_older_outcome_is_undone_meanwhile() -> None:
    story, placed = begun(CAREFUL)
    story.ruled(until=MIDDAY + HOUR)
    story.asked(Act.REDRIVE, at=MIDDAY + HOUR, reason="the bank is back", step="payment")
    story.ruled(until=MIDDAY + HOUR + 1)
    assert said(story, MIDDAY + HOUR + MINUTE) == (
        "Redrive of step payment by ann: the bank is back (13:00:00 UTC). First step payment, which may still be "
        "running, has to end: that is waited for until 13:05:00 UTC at the latest, in 4 min."
    )
    story.ruled(until=MIDDAY + 2 * HOUR)
    story.emitted("payment", "payment.authorized", placed, at=MIDDAY + 2 * HOUR + SECOND)
    story.ruled(until=MIDDAY + 2 * HOUR + 2 * SECOND)
    assert said(story, MIDDAY + 2 * HOUR + MINUTE).endswith(
        "Step payment is being undone since 14:00:02 UTC, 58.0 s ago (attempt 1): that outcome is of an older epoch."
    )


# ---- undoing


FAILING = "The saga fails: step shipping: no lorry (12:01:00 UTC). "


def undoing() -> Story:
    """Step stock is being undone since 12:01."""
    story, stocked = reserved()
    story.failed("shipping", stocked, at=MIDDAY + 3 * SECOND, reason="no lorry")
    story.ruled(until=MIDDAY + MINUTE)
    return story


def test_compensating_which_step_and_what_is_left() -> None:
    now = MIDDAY + 4 * MINUTE + SECOND
    assert said(undoing(), now) == (
        f"{FAILING}Step stock is being undone since 12:01:00 UTC, 3 min ago (attempt 1); in the end the saga is failed."
    )
    assert said(undoing(), now, ORDERED) == (
        f"{FAILING}Step stock is being undone since 12:01:00 UTC, 3 min ago (attempt 1 of 5), then payment; "
        "in the end the saga is failed."
    )


def one_undone() -> Story:
    story = undoing()
    story.compensated(last_sent(story), at=MIDDAY + 2 * MINUTE)
    return story


def test_between_two_compensations() -> None:
    at = MIDDAY + 2 * MINUTE
    assert said(one_undone(), at) == (
        f"{FAILING}Nothing of it runs any more: what has to be undone is undone next; in the end the saga is failed."
    )
    next_is = f"{FAILING}Nothing of it runs any more: step payment is undone next"
    assert said(one_undone(), at, ORDERED) == f"{next_is}."
    assert said(one_undone(), at + MINUTE, ORDERED) == f"{next_is} (the tracker is down or behind)."


def failed_to_undo() -> Story:
    """The first attempt at undoing step payment has failed at 12:04, and the next is due 12 s later."""
    story = one_undone()
    command = sent(story.ruled(until=MIDDAY + 3 * MINUTE))
    story.failed(
        "payment", command.about, at=MIDDAY + 4 * MINUTE, reason="bank gone", retryable=True, by=command,
        retry_after=12 * SECOND,
    )  # fmt: skip
    return story


def test_a_compensation_is_tried_again() -> None:
    story = failed_to_undo()
    assert said(story, MIDDAY + 4 * MINUTE) == (
        f"{FAILING}Undoing step payment is tried again in 12.0 s, at 12:04:12 UTC (attempt 2), "
        "since attempt 1 failed: bank gone; in the end the saga is failed."
    )
    assert said(story, MIDDAY + 6 * MINUTE, ORDERED) == (
        f"{FAILING}Undoing step payment should have gone on 1 min ago (the tracker is down or behind): attempt 2 of 3, "
        "since attempt 1 failed: bank gone; in the end the saga is failed."
    )


def stuck() -> Story:
    story = failed_to_undo()
    command = sent(story.ruled(until=MIDDAY + 5 * MINUTE))
    story.failed("payment", command.about, at=MIDDAY + 6 * MINUTE, reason="account closed", by=command)
    return story


def test_a_compensation_has_failed_for_good_and_a_person_is_asked() -> None:
    story = stuck()
    assert said(story, MIDDAY + 6 * MINUTE) == (
        f"{FAILING}Step payment cannot be undone (attempt 2): account closed; in the end the saga is failed."
    )
    story.ruled(until=MIDDAY + 7 * MINUTE)
    assert said(story, MIDDAY + 8 * MINUTE) == (
        "An incident waits for a person since 12:06:00 UTC, 2 min ago: step payment cannot be undone (attempt 2): "
        f"account closed. Decide by `saga retry | skip`. {FAILING.rstrip()}"
    )


def test_a_rewind_undoes_first_and_then_runs_again() -> None:
    story, stocked = reserved(CAREFUL)
    story.failed("shipping", stocked, at=MIDDAY + 5 * SECOND)
    story.asked(Act.REWIND, at=MIDDAY + MINUTE, step="stock")
    story.ruled(until=MIDDAY + MINUTE + 1)
    assert said(story, MIDDAY + 4 * MINUTE) == (
        "Rewind of step stock by ann (12:01:00 UTC). Step stock is being undone since 12:01:00 UTC, 2 min ago "
        "(attempt 1); in the end step stock runs again."
    )


def test_pausing_and_paused_while_it_is_undone() -> None:
    story = undoing()
    story.asked(Act.PAUSE, at=MIDDAY + 90 * SECOND)
    story.ruled(until=MIDDAY + 90 * SECOND + 1)
    assert said(story, MIDDAY + 3 * MINUTE) == (
        "Pausing by ann since 12:01:30 UTC, 1 min ago. "
        "It waits for step stock to be undone; then nothing starts until `saga resume`."
    )
    story.compensated(last_sent(story), at=MIDDAY + 2 * MINUTE)
    story.ruled(until=MIDDAY + 2 * MINUTE + 1)
    assert said(story, MIDDAY + 3 * MINUTE) == (
        f"Paused by ann since 12:01:30 UTC, 1 min ago. {FAILING}That goes on after `saga resume`."
    )


# ---- ended


def test_completed() -> None:
    story, stocked = reserved()
    story.emitted("shipping", "shipment.created", stocked, at=MIDDAY + 3 * SECOND)
    assert said(story, MIDDAY + HOUR) == "Completed by shipment.created after 3.0 s."


def test_completed_after_it_was_brought_back() -> None:
    story, authorized = paid(CAREFUL)
    story.failed("stock", authorized, at=MIDDAY + 5 * SECOND)
    story.asked(Act.REDRIVE, at=MIDDAY + 3 * MINUTE, step="stock")
    again = sent(story.ruled(until=MIDDAY + 3 * MINUTE + 1))
    stocked = story.emitted("stock", "stock.reserved", authorized, at=MIDDAY + 5 * MINUTE, by=again)
    story.emitted("shipping", "shipment.created", stocked, at=MIDDAY + 6 * MINUTE, epoch=1)
    assert said(story, MIDDAY + HOUR) == (
        "Completed by shipment.created after 6 min, in epoch 1: it was redriven, rewound or had a step skipped once."
    )


def test_failed_and_what_was_undone_and_what_a_person_left() -> None:
    story = stuck()
    story.ruled(until=MIDDAY + 7 * MINUTE)
    story.asked(Act.SKIP, at=MIDDAY + HOUR, step="payment")
    story.ruled(until=MIDDAY + HOUR + 1)
    assert said(story, MIDDAY + 2 * HOUR) == (
        "Failed after 1 h 0 min: step shipping: no lorry. Undone: stock. "
        "Not undone, since a person skipped that: payment."
    )


def test_failed_with_nothing_to_undo() -> None:
    story, placed = begun()
    story.failed("payment", placed, at=MIDDAY + 90 * SECOND, reason="the disk is full")
    story.ruled(until=MIDDAY + 90 * SECOND + 1)
    assert said(story, MIDDAY + HOUR) == "Failed after 1 min: step payment: the disk is full. No step was undone."


def test_cancelled_while_an_outcome_may_still_come_and_then_it_is_undone() -> None:
    story = cancelled()
    payment = sent(story.ruled(until=MIDDAY + 6 * MINUTE + 200))
    story.compensated(payment, at=MIDDAY + 8 * MINUTE)
    story.ruled(until=MIDDAY + 9 * MINUTE)
    ended = "Cancelled after 9 min by ann: wrong size. Undone: payment."
    may_come = "Step stock may still be running: an outcome that still comes is undone"
    assert said(story, MIDDAY + HOUR) == f"{ended} {may_come}, if the step can be."
    assert said(story, MIDDAY + HOUR, ORDERED) == f"{ended} {may_come}, and the saga stays as it is."
    (trigger,) = [event.id for event in story.state().events if event.type == "payment.authorized"]
    late = story.emitted("stock", "stock.reserved", trigger, at=MIDDAY + HOUR)
    story.skipped("shipping", late, at=MIDDAY + HOUR, code="cancelled")
    undo = sent(story.ruled(until=MIDDAY + HOUR + 1))
    assert said(story, MIDDAY + HOUR + 2 * MINUTE) == (
        f"{ended} Step stock is being undone since 13:00:00 UTC, 1 min ago (attempt 1): that outcome came too late."
    )
    story.compensated(undo, at=MIDDAY + HOUR + 3 * MINUTE)
    assert said(story, MIDDAY + 2 * HOUR) == ("Cancelled after 9 min by ann: wrong size. Undone: payment and stock.")
