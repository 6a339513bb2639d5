from __future__ import annotations

import pytest
from msgspec.structs import replace

from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.facts import EventFact, ProgressFact
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.pauses import NOTHING_WIDE, Wide
from kafka_saga.tracker.core.plan import unknown_version
from kafka_saga.tracker.core.rulings import due
from kafka_saga.wire.control import ControlEntry, Hold
from kafka_saga.wire.wording import length
from tests.unit.kafka_saga.tracker.history import Story, sent
from tests.unit.kafka_saga.tracker.orders import CAREFUL, ORDER
from tests.unit.kafka_saga.tracker.telling import (
    HOUR,
    MIDDAY,
    MINUTE,
    PATIENT,
    SECOND,
    SOMEWHERE,
    begun,
    paid,
    said,
)

# ---- at work


def test_queued_or_running() -> None:
    story, _ = begun()
    assert said(story, MIDDAY + 4 * MINUTE) == SOMEWHERE


def test_running_with_progress_and_a_note() -> None:
    story, placed = begun()
    story.progressed("payment", placed, at=MIDDAY + 4 * MINUTE, done=12, total=40)
    told = story.facts[-1]
    assert isinstance(told, ProgressFact)
    story.facts[-1] = replace(told, note="asking the bank.", started_at=MIDDAY + SECOND)
    assert said(story, MIDDAY + 4 * MINUTE + 3 * SECOND) == (
        "Step payment (attempt 1) is running for 4 min, since 12:00:01 UTC: 12 of 40 done (asking the bank), "
        "as it told 3.0 s ago. Then: stock, shipping."
    )


def test_the_second_attempt_names_how_the_first_has_failed() -> None:
    story, authorized = paid()
    story.failed("stock", authorized, at=MIDDAY + 5 * SECOND, reason="closed", retryable=True)
    story.ruled(until=MIDDAY + MINUTE)
    assert said(story, MIDDAY + 2 * MINUTE) == (
        "Step stock (attempt 2, since attempt 1 failed: closed) has its work since 12:01:00 UTC, 1 min ago, "
        "and has not ended: it is queued or running at its service. Then: shipping."
    )


def limited() -> Story:
    """Attempt 2 of 5 has failed at 12:03, and the third is due 12 s later."""
    story, authorized = paid(PATIENT)
    story.failed("stock", authorized, at=MIDDAY + 5 * SECOND, retryable=True)
    second = sent(story.ruled(until=MIDDAY + MINUTE))
    story.failed(
        "stock", authorized, at=MIDDAY + 3 * MINUTE, reason="429 Too\n Many Requests.", retryable=True, by=second,
        retry_after=12 * SECOND,
    )  # fmt: skip
    return story


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        (0, "Step stock is tried again in 12.0 s, at 12:03:12 UTC (attempt 3 of 5), since attempt 2 failed: "),
        (13 * SECOND, "Step stock is tried again now (attempt 3 of 5), since attempt 2 failed: "),
        (
            52 * SECOND,
            "Step stock should have been tried again 40.0 s ago (the tracker is down or behind): attempt 3 of 5, "
            "since attempt 2 failed: ",
        ),
    ],
)
def test_a_retry_and_when_it_is_due_or_should_have_been(later: int, sentence: str) -> None:
    found = said(limited(), MIDDAY + 3 * MINUTE + later)
    assert found == f"{sentence}429 Too Many Requests. Then: shipping."


def test_a_retry_that_a_pause_of_its_step_puts_off_is_not_called_late() -> None:
    story = limited()
    story.wide = Wide(steps=(("stock", ControlEntry(1, paused=Hold("bob", "", MIDDAY))),))
    assert said(story, MIDDAY + HOUR) == (
        "Step stock is put off by a pause of the step or of its definition (attempt 3 of 5), since attempt 2 failed: "
        "429 Too Many Requests. Then: shipping."
    )


def test_failed_for_good_and_not_yet_decided_on() -> None:
    story, placed = begun()
    story.failed("payment", placed, at=MIDDAY, reason="undecodable: not Avro", code="undecodable")
    assert said(story, MIDDAY) == (
        "Step payment has failed for good (attempt 1 of 5): undecodable: not Avro. What follows is about to be decided."
    )


def test_several_steps_at_work_are_said_up_to_two() -> None:
    story, _ = begun()
    state = story.state()
    (step, *others) = state.steps
    crowd = replace(state, steps=(*(replace(step, name=name) for name in "abcd"), *others))
    assert reason(crowd, MIDDAY + 4 * MINUTE).endswith(
        "Step b (attempt 1) has its work since 12:00:00 UTC, 4 min ago, and has not ended: it is queued or running at "
        "its service. Besides, 2 more steps have not ended. Then: stock, shipping."
    )


# ---- what is missing


def test_not_started_as_far_as_is_known() -> None:
    story, placed = begun()
    story.emitted("payment", "payment.authorized", placed, at=MIDDAY)
    del story.facts[0]
    assert said(story, MIDDAY) == (
        "Not started as far as is known: payment.authorized waits for the event that caused it."
    )


def test_only_a_command_is_known() -> None:
    story = Story(ORDER)
    story.asked(Act.CANCEL, at=MIDDAY)
    assert reason(story.state(), MIDDAY + SECOND) == (
        "Not started as far as is known: no event of it has been read. "
        "A command is about to be decided on: cancel by ann, since 12:00:00 UTC, 1.0 s ago."
    )


def gapped() -> Story:
    story, _ = begun()
    story.emitted("stock", "stock.reserved", "nobody", at=MIDDAY + SECOND)
    return story


def test_an_event_in_the_middle_is_missing() -> None:
    assert said(gapped(), MIDDAY + 2 * SECOND) == (
        "stock.reserved waits for the event that caused it, which has not been read yet; until then step payment "
        "(attempt 1) has not ended as far as is known. "
        "If that event is not on the log, what waits for it is set aside."
    )


def test_an_event_in_the_middle_is_missing_for_good() -> None:
    story = gapped()
    story.ruled(until=MIDDAY + 2 * SECOND)
    assert said(story, MIDDAY + 4 * MINUTE) == (
        f"{SOMEWHERE} Set aside: stock.reserved, as what caused it is not on the log."
    )


def test_an_unknown_version_and_then_its_incident() -> None:
    story, _ = begun()
    first = story.facts[0]
    assert isinstance(first, EventFact)
    plan = unknown_version(ORDER)
    state, _decided = fold(None, replace(first, envelope=replace(first.envelope, version=2)), plan)
    assert reason(state, MIDDAY + MINUTE) == (
        "It follows order v2, which no running tracker knows: start one that does. "
        "If none is there, an incident follows at 12:10:00 UTC, in 9 min."
    )
    ruled = due(state, MIDDAY + 11 * MINUTE, plan, NOTHING_WIDE).state
    assert ruled is not None
    assert reason(ruled, MIDDAY + 12 * MINUTE) == (
        "An incident waits for a person since 12:10:00 UTC, 2 min ago: the saga follows order v2, which the tracker "
        "has not known for 10 min: start a tracker with that version. It closes by itself then."
    )


def test_the_end_is_about_to_be_decided() -> None:
    story, authorized = paid()
    story.emitted("stock", "stock.missing", authorized, at=MIDDAY + 5 * SECOND)
    assert said(story, MIDDAY + 6 * SECOND) == (
        "No step has anything to do: stock.missing was the last event, and how the saga ends is about to be decided."
    )


# ---- a person is asked


def stuck_at_stock() -> Story:
    story, authorized = paid(CAREFUL)
    story.failed("stock", authorized, at=MIDDAY + 5 * SECOND, reason="closed")
    story.ruled(until=MIDDAY + MINUTE)
    return story


STUCK = (
    "An incident waits for a person since 12:00:05 UTC, 3 min ago: step stock has failed for good after attempt 1: "
    "closed. Decide by `saga retry | redrive | skip | rewind | cancel`."
)


def test_an_incident_and_what_can_be_done() -> None:
    assert said(stuck_at_stock(), MIDDAY + 4 * MINUTE) == STUCK


def test_several_incidents() -> None:
    state = stuck_at_stock().state()
    more = tuple(replace(state.incidents[0], id=name) for name in ("y", "z"))
    assert reason(replace(state, incidents=(*state.incidents, *more)), MIDDAY + 4 * MINUTE) == (
        "3 incidents wait for a person, the first since 12:00:05 UTC, 3 min ago: step stock has failed for good after "
        "attempt 1: closed. `saga incidents` lists them."
    )


def test_a_paused_saga_with_an_incident_names_both() -> None:
    story = stuck_at_stock()
    story.asked(Act.PAUSE, at=MIDDAY + 2 * MINUTE)
    story.ruled(until=MIDDAY + 2 * MINUTE + 1)
    assert said(story, MIDDAY + 4 * MINUTE) == (
        f"Paused by ann since 12:02:00 UTC, 2 min ago. It goes on after `saga resume`. {STUCK}"
    )


def test_a_deadline_has_passed_and_a_person_is_asked() -> None:
    story, _ = begun(CAREFUL)
    story.ruled(until=MIDDAY + HOUR)
    assert said(story, MIDDAY + HOUR) == (
        "An incident waits for a person since 12:15:00 UTC, 45 min ago: the deadline of step payment has passed; "
        "an outcome that still comes counts. Decide by `saga redrive | skip | rewind | cancel`."
    )


# ---- paused


def test_pausing_waits_for_what_runs() -> None:
    story, _ = begun()
    story.asked(Act.PAUSE, at=MIDDAY + 5 * MINUTE, reason="look into it")
    story.ruled(until=MIDDAY + 5 * MINUTE + 1)
    assert said(story, MIDDAY + 6 * MINUTE) == (
        "Pausing by ann since 12:05:00 UTC, 1 min ago: look into it. "
        "It waits for step payment, which may be running, to end; then nothing starts until `saga resume`."
    )


def test_paused_by_whom_why_and_since_when() -> None:
    story, placed = begun()
    story.asked(Act.PAUSE, at=MIDDAY + 5 * MINUTE, reason="look into it")
    story.ruled(until=MIDDAY + 5 * MINUTE + 1)
    story.parked("payment", placed, at=MIDDAY + 6 * MINUTE)
    assert said(story, MIDDAY + 9 * MINUTE) == (
        "Paused by ann since 12:05:00 UTC, 4 min ago: look into it. Step payment goes on after `saga resume`."
    )


def test_paused_with_a_key_prefix() -> None:
    story, placed = begun()
    story.wide = Wide(prefixes=(("prefix:acme/", ControlEntry(1, paused=Hold("bob", "freeze", MIDDAY + MINUTE))),))
    story.ruled(until=MIDDAY + MINUTE + 1)
    story.parked("payment", placed, at=MIDDAY + MINUTE + 5)
    assert said(story, MIDDAY + 2 * MINUTE) == (
        "Paused by bob with all sagas whose key begins with acme/ since 12:01:00 UTC, 1 min ago: freeze. "
        "Step payment goes on after `saga resume --key-prefix acme/`."
    )


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        (SECOND, "is about to go on."),
        (MINUTE, "should go on since 12:07:00 UTC, 1 min ago (the tracker is down or behind)."),
    ],
)
def test_parked_after_the_resume_it_is_about_to_go_on(later: int, sentence: str) -> None:
    story, placed = begun()
    story.asked(Act.PAUSE, at=MIDDAY + 5 * MINUTE)
    story.asked(Act.RESUME, at=MIDDAY + 6 * MINUTE)
    story.ruled(until=MIDDAY + 6 * MINUTE + 1)
    story.parked("payment", placed, at=MIDDAY + 7 * MINUTE)
    found = said(story, MIDDAY + 7 * MINUTE + later)
    assert found == f"Step payment was put off by a pause and {sentence} Then: stock, shipping."


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
