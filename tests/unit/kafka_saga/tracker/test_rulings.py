from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.definition.model import Saga
from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.decisions import (
    Accepted,
    Cancelled,
    Compensated,
    Emit,
    Failed,
    Forget,
    Late,
    Paused,
    Raised,
    Refused,
    Resumed,
    RetryScheduled,
    Solved,
    TimedOut,
)
from kafka_saga.tracker.core.due_items import due_items
from kafka_saga.tracker.core.fast_path import is_plain, plain_due
from kafka_saga.tracker.core.pauses import NOTHING_WIDE, Wide
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.state import SagaStatus, StepStatus
from kafka_saga.wire.control import ControlEntry, Hold
from tests.unit.kafka_saga.tracker.history import Story, executed, sent, undone
from tests.unit.kafka_saga.tracker.orders import CAREFUL, ORDER
from topology.code_review import CODE_REVIEW

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def paid(story: Story) -> str:
    return story.emitted("payment", "payment.authorized", story.started(at=0), at=10)


def reserved(story: Story) -> str:
    return story.emitted("stock", "stock.reserved", paid(story), at=20)


def of(kind: type, story: Story) -> list[object]:
    return [one for one in story.decided if isinstance(one, kind)]


# ---- retries


def test_a_step_that_fails_is_tried_again_after_its_delay() -> None:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=100, retryable=True)
    assert story.state().step("payment").status is StepStatus.RETRYING
    (scheduled,) = of(RetryScheduled, story)
    assert isinstance(scheduled, RetryScheduled)
    assert 100 + 800 <= scheduled.due <= 100 + 1_200
    assert executed(story.ruled(until=scheduled.due)) == []
    assert executed(story.ruled(until=scheduled.due + 1)) == [("payment", 2)]
    assert executed(story.ruled(until=DAY)) == []


def test_a_wait_that_the_error_asks_for_wins_if_it_is_longer() -> None:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=100, retryable=True, retry_after=30_000)
    assert executed(story.ruled(until=30_100)) == []
    assert executed(story.ruled(until=30_101)) == [("payment", 2)]


def test_when_its_attempts_are_used_up_the_saga_is_compensated() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.failed("stock", stock, at=100, retryable=True)
    for attempt in (2, 3):
        command = sent(story.ruled(until=attempt * HOUR))
        story.failed("stock", stock, at=attempt * HOUR + 5, reason="closed", retryable=True, by=command)
    command = sent(story.ruled(until=4 * HOUR))
    assert (command.step, command.undoes) == ("payment", True)
    story.compensated(command, at=4 * HOUR + 10)
    story.ruled(until=5 * HOUR)
    assert story.state().status is SagaStatus.FAILED
    assert story.state().step("payment").status is StepStatus.COMPENSATED
    assert isinstance(of(Failed, story)[0], Failed)
    assert story.state().error == "step stock: closed"


def test_what_is_not_retryable_fails_at_once() -> None:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=100)
    story.ruled(until=101)
    assert story.state().status is SagaStatus.FAILED
    assert executed(story.decided) == []


# ---- compensation


def test_steps_are_undone_in_reverse_one_after_the_other() -> None:
    story = Story(ORDER)
    story.failed("shipping", reserved(story), at=30)
    first = sent(story.ruled(until=HOUR))
    assert first.step == "stock"
    assert undone(story.ruled(until=2 * HOUR)) == []
    story.compensated(first, at=2 * HOUR)
    second = sent(story.ruled(until=3 * HOUR))
    assert second.step == "payment"
    story.compensated(second, at=4 * HOUR)
    story.ruled(until=5 * HOUR)
    (done,) = of(Compensated, story)
    assert isinstance(done, Compensated)
    assert done.steps == ("stock", "payment")


def test_a_compensation_that_fails_is_tried_again_and_then_a_person_is_asked() -> None:
    story = Story(ORDER)
    story.failed("stock", paid(story), at=30)
    command = sent(story.ruled(until=HOUR))
    for attempt in (2, 3):
        story.failed("payment", command.about, at=attempt * HOUR, retryable=True, by=command)
        command = sent(story.ruled(until=attempt * HOUR + 30 * MINUTE))
        assert (command.attempt, command.undoes) == (attempt, True)
    story.failed("payment", command.about, at=4 * HOUR, reason="bank gone", retryable=True, by=command)
    story.ruled(until=5 * HOUR)
    (incident,) = story.state().incidents
    assert (incident.kind, incident.commands) == ("compensation_failed", ("retry", "skip"))
    assert story.state().status is SagaStatus.COMPENSATING
    story.asked(Act.SKIP, at=6 * HOUR, step="payment")
    story.ruled(until=7 * HOUR)
    assert (story.state().status, story.state().incidents) == (SagaStatus.FAILED, ())


def test_the_next_attempt_at_a_compensation_is_announced_once() -> None:
    story = Story(ORDER)
    story.failed("stock", paid(story), at=30)
    command = sent(story.ruled(until=HOUR))
    story.failed("payment", command.about, at=2 * HOUR, reason="bank closed", retryable=True, by=command)
    story.ruled(until=2 * HOUR + 1)
    (scheduled,) = of(RetryScheduled, story)
    assert isinstance(scheduled, RetryScheduled)
    assert (scheduled.step, scheduled.attempt, scheduled.undoes) == ("payment", 2, True)
    assert scheduled.reason == "bank closed"
    assert undone(story.ruled(until=scheduled.due)) == []
    assert undone(story.ruled(until=scheduled.due + 1)) == ["payment"]
    assert of(RetryScheduled, story) == [scheduled]


def test_no_retry_is_announced_of_a_step_that_fails_while_its_saga_is_undone() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.asked(Act.CANCEL, at=100)
    story.ruled(until=101)
    story.failed("stock", stock, at=200, retryable=True)
    assert story.state().step("stock").status is StepStatus.FAILED
    assert of(RetryScheduled, story) == []


def test_no_retry_is_announced_of_an_epoch_that_no_longer_counts() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.asked(Act.REWIND, at=100, step="stock")
    story.ruled(until=101)
    story.failed("stock", stock, at=200, retryable=True)
    assert executed(story.ruled(until=HOUR)) == [("stock", 1)]
    assert of(RetryScheduled, story) == []


def test_a_person_may_have_a_compensation_tried_again() -> None:
    story = Story(ORDER)
    story.failed("stock", paid(story), at=30)
    command = sent(story.ruled(until=HOUR))
    story.failed("payment", command.about, at=2 * HOUR, by=command)
    story.ruled(until=3 * HOUR)
    story.asked(Act.RETRY, at=4 * HOUR)
    again = sent(story.ruled(until=5 * HOUR))
    story.compensated(again, at=6 * HOUR)
    story.ruled(until=7 * HOUR)
    assert story.state().status is SagaStatus.FAILED
    assert of(Solved, story)


def test_compensation_waits_until_what_runs_has_ended() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.asked(Act.CANCEL, at=100)
    story.ruled(until=101)
    assert story.state().status is SagaStatus.CANCELLING
    assert undone(story.ruled(until=4 * MINUTE)) == []
    story.emitted("stock", "stock.reserved", stock, at=4 * MINUTE)
    story.skipped("shipping", story.facts[-1].envelope.id, at=4 * MINUTE + 1, code="cancelled")  # type: ignore[union-attr]
    assert sent(story.ruled(until=4 * MINUTE + 2)).step == "stock"


def test_settling_is_bounded_and_an_outcome_that_comes_later_is_undone_as_aftercare() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.asked(Act.CANCEL, at=100)
    assert undone(story.ruled(until=5 * MINUTE)) == []
    payment = sent(story.ruled(until=5 * MINUTE + 200))
    story.compensated(payment, at=6 * MINUTE)
    story.ruled(until=7 * MINUTE)
    assert story.state().status is SagaStatus.CANCELLED
    story.emitted("stock", "stock.reserved", stock, at=HOUR)
    late = sent(story.ruled(until=HOUR + 1))
    assert (late.step, late.undoes) == ("stock", True)
    assert of(Late, story)
    story.compensated(late, at=2 * HOUR)
    assert undone(story.ruled(until=3 * HOUR)) == []
    assert story.state().status is SagaStatus.CANCELLED
    assert len(of(Cancelled, story)) == 1


def test_a_final_event_that_means_failure_has_done_steps_undone() -> None:
    story = Story(ORDER)
    story.emitted("stock", "stock.missing", paid(story), at=20)
    first = sent(story.ruled(until=100))
    story.compensated(first, at=200)
    story.compensated(sent(story.ruled(until=300)), at=400)
    story.ruled(until=500)
    assert (story.state().status, story.state().end) == (SagaStatus.FAILED, "stock.missing")


# ---- deadlines


def test_a_step_that_does_not_end_in_time_leads_to_compensation() -> None:
    story = Story(ORDER)
    story.started(at=0)
    assert of(TimedOut, story) == []
    story.ruled(until=15 * MINUTE)
    assert of(TimedOut, story) == []
    story.ruled(until=15 * MINUTE + 1)
    assert of(TimedOut, story) == [TimedOut(15 * MINUTE, "payment", 0, 15 * MINUTE)]


def test_no_deadline_fires_when_its_outcome_is_on_the_log_in_time() -> None:
    story = Story(ORDER)
    story.emitted("payment", "payment.authorized", story.started(at=0), at=15 * MINUTE)
    story.ruled(until=HOUR)
    assert of(TimedOut, story) == []


def test_an_outcome_after_its_deadline_is_undone_once() -> None:
    story = Story(ORDER)
    received = story.started(at=0)
    story.ruled(until=16 * MINUTE)
    story.emitted("payment", "payment.authorized", received, at=17 * MINUTE)
    story.skipped("stock", story.facts[-1].envelope.id, at=17 * MINUTE, code="cancelled")  # type: ignore[union-attr]
    command = sent(story.ruled(until=18 * MINUTE))
    story.compensated(command, at=19 * MINUTE)
    assert undone(story.ruled(until=DAY)) == []
    assert story.state().status is SagaStatus.FAILED


def test_with_incidents_a_passed_deadline_asks_a_person_and_an_outcome_that_comes_solves_it() -> None:
    story = Story(CAREFUL)
    received = story.started(at=0)
    story.ruled(until=HOUR)
    assert [incident.kind for incident in story.state().incidents] == ["step_deadline"]
    story.emitted("payment", "payment.authorized", received, at=2 * HOUR)
    story.ruled(until=3 * HOUR)
    assert story.state().incidents == ()
    assert story.state().status is SagaStatus.RUNNING


def test_the_saga_itself_has_a_deadline() -> None:
    story = Story(ORDER)
    stock = paid(story)
    story.progressed("stock", stock, at=50)
    story.ruled(until=2 * DAY + 1)
    assert TimedOut(2 * DAY, None, 0, 2 * DAY) in story.decided
    assert story.state().error == "its deadline of 2 d 0 h has passed"


# ---- pausing


def test_a_paused_saga_stands_still_and_goes_on_with_the_time_it_had_left() -> None:
    story = Story(ORDER)
    received = story.started(at=0)
    story.asked(Act.PAUSE, at=5 * MINUTE, reason="look into it")
    story.ruled(until=5 * MINUTE + 1)
    assert story.state().status is SagaStatus.PAUSING
    story.parked("payment", received, at=5 * MINUTE + 2)
    assert story.state().status is SagaStatus.PAUSED
    assert of(Paused, story) == [Paused(5 * MINUTE + 2, "ann", "look into it")]
    assert story.ruled(until=DAY) == []
    story.asked(Act.RESUME, at=DAY)
    assert executed(story.ruled(until=DAY + 1)) == [("payment", 1)]
    assert of(Resumed, story)
    assert of(TimedOut, story) == []
    story.ruled(until=DAY + 10 * MINUTE)
    assert of(TimedOut, story) == []
    story.ruled(until=DAY + 10 * MINUTE + 1)
    assert of(TimedOut, story) == [TimedOut(DAY + 10 * MINUTE, "payment", 0, 15 * MINUTE)]


def test_what_parks_after_the_resume_is_asked_for_again_at_once() -> None:
    story = Story(ORDER)
    received = story.started(at=0)
    story.asked(Act.PAUSE, at=10)
    story.asked(Act.RESUME, at=20)
    story.ruled(until=21)
    story.parked("payment", received, at=30)
    assert executed(story.ruled(until=31)) == [("payment", 1)]


def test_a_retry_that_is_due_waits_for_the_resume() -> None:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=10, retryable=True)
    story.asked(Act.PAUSE, at=100)
    assert executed(story.ruled(until=MINUTE)) == []
    story.asked(Act.RESUME, at=2 * MINUTE)
    assert executed(story.ruled(until=2 * MINUTE + 1)) == []
    assert executed(story.ruled(until=3 * MINUTE)) == [("payment", 2)]


def test_a_paused_prefix_pauses_the_saga_and_a_paused_step_only_its_clocks() -> None:
    story = Story(ORDER)
    story.started(at=0)
    held = ControlEntry(1, paused=Hold("bob", "freeze", MINUTE))
    story.wide = Wide(prefixes=(("prefix:acme/", held),))
    story.ruled(until=MINUTE + 1)
    assert story.state().status is SagaStatus.PAUSING
    story.wide = Wide(prefixes=(("prefix:acme/", ControlEntry(2, frozen=((MINUTE, HOUR),))),))
    story.ruled(until=HOUR + 1)
    assert story.state().status is SagaStatus.RUNNING
    story.wide = Wide(steps=(("payment", ControlEntry(3, paused=Hold("bob", "", HOUR + 2))),))
    assert story.ruled(until=2 * HOUR) == []
    assert story.state().status is SagaStatus.RUNNING


# ---- commands


def test_a_command_that_cannot_apply_is_refused_with_the_reason() -> None:
    story = Story(ORDER)
    story.started(at=0)
    story.asked(Act.RESUME, at=5)
    story.asked(Act.RETRY, at=6)
    story.asked(Act.REWIND, at=7, step="nobody")
    story.ruled(until=10)
    assert [one.why for one in of(Refused, story) if isinstance(one, Refused)] == [
        "the saga is not paused",
        "there is nothing to retry: the saga is running",
        "order has no step nobody; its steps are payment, stock, shipping",
    ]


def test_the_same_command_again_changes_nothing() -> None:
    story = Story(ORDER)
    story.started(at=0)
    story.asked(Act.PAUSE, at=5)
    story.ruled(until=10)
    story.facts.append(story.facts[-1])
    story.ruled(until=20)
    assert len(of(Accepted, story)) == 1
    assert [one.why for one in story.state().unmatched] == ["the same command again"]


@pytest.mark.parametrize("is_ruled", [True, False])
def test_another_command_under_an_id_that_was_used_is_refused_and_the_first_one_counts(is_ruled: bool) -> None:
    story = Story(ORDER)
    story.started(at=0)
    story.asked(Act.PAUSE, at=5, command_id="mine")
    if is_ruled:
        story.ruled(until=10)
    story.asked(Act.CANCEL, at=12, command_id="mine")
    story.asked(Act.PAUSE, at=13, command_id="mine", reason="lunch")
    story.asked(Act.RESUME, at=14, command_id="another")
    story.ruled(until=20)
    assert [(one.id, one.command) for one in story.decided if isinstance(one, Accepted)] == [
        ("mine", "pause"), ("another", "resume")
    ]  # fmt: skip
    refused = [one for one in story.decided if isinstance(one, Refused)]
    assert [(one.id, one.command, one.reason) for one in refused] == [
        ("mine", "cancel", ""),
        ("mine", "pause", "lunch"),
    ]
    assert {one.why for one in refused} == {
        "another command was given under the id 'mine' before: give this one an id of its own"
    }
    assert (story.state().unmatched, story.state().undo) == ((), None)


def test_a_failed_step_is_redriven_under_a_new_epoch_and_keeps_what_is_done() -> None:
    story = Story(CAREFUL)
    stock = paid(story)
    story.failed("stock", stock, at=50)
    story.ruled(until=60)
    assert [incident.kind for incident in story.state().incidents] == ["step_failed"]
    story.asked(Act.REDRIVE, at=100)
    command = sent(story.ruled(until=101))
    assert (command.step, command.epoch, command.attempt) == ("stock", 1, 1)
    assert story.state().floors == {"shipping": 1, "stock": 1}
    shipping = story.emitted("stock", "stock.reserved", stock, at=200, by=command)
    story.emitted("shipping", "shipment.created", shipping, at=300, epoch=1)
    assert story.state().status is SagaStatus.COMPLETED
    story.ruled(until=400)
    assert story.state().incidents == ()


def test_a_rewind_undoes_what_is_done_from_there_on_and_runs_it_again() -> None:
    story = Story(CAREFUL)
    stock = paid(story)
    shipping = story.emitted("stock", "stock.reserved", stock, at=20)
    story.failed("shipping", shipping, at=30)
    story.asked(Act.REWIND, at=100, step="stock")
    undo = sent(story.ruled(until=101))
    assert (undo.step, undo.undoes) == ("stock", True)
    story.compensated(undo, at=200)
    again = sent(story.ruled(until=201))
    assert (again.step, again.epoch, again.undoes) == ("stock", 1, False)
    shipping = story.emitted("stock", "stock.reserved", stock, at=300, by=again)
    story.emitted("shipping", "shipment.created", shipping, at=400, epoch=1)
    assert story.state().status is SagaStatus.COMPLETED
    assert story.state().step("stock").status is StepStatus.DONE
    assert undone(story.ruled(until=HOUR)) == []


def test_a_step_is_skipped_with_a_given_outcome() -> None:
    story = Story(CAREFUL)
    stock = paid(story)
    story.failed("stock", stock, at=50)
    story.asked(Act.SKIP, at=100, step="stock", outcome="stock.reserved")
    given = [one for one in story.ruled(until=101) if isinstance(one, Emit)]
    assert [(one.step, one.type, one.epoch, one.content) for one in given] == [("stock", "stock.reserved", 1, "{}")]


def test_retry_runs_the_failed_step_once_more_in_its_epoch() -> None:
    story = Story(CAREFUL)
    stock = paid(story)
    story.failed("stock", stock, at=50)
    story.ruled(until=60)
    story.asked(Act.RETRY, at=100)
    command = sent(story.ruled(until=101))
    assert (command.step, command.attempt, command.epoch) == ("stock", 2, 0)
    story.failed("stock", stock, at=200, retryable=True, by=command)
    assert executed(story.ruled(until=HOUR)) == [("stock", 3)]


def test_a_later_saga_of_the_key_has_this_one_cancelled() -> None:
    story = Story(ORDER)
    story.started(at=0)
    story.rivalled(at=100)
    story.ruled(until=101)
    assert story.state().status is SagaStatus.CANCELLING
    assert story.state().error == "superseded by acme/shop#7@ffffffffffff"


def test_a_superseded_saga_is_not_brought_back_since_it_would_yield_again() -> None:
    story = Story(ORDER)
    received = story.started(at=0)
    story.rivalled(at=100)
    story.ruled(until=101)
    story.skipped("payment", received, at=102, code="cancelled")
    story.ruled(until=200)
    assert story.state().status is SagaStatus.CANCELLED
    for at, act in ((300, Act.REDRIVE), (301, Act.REWIND)):
        story.asked(act, at=at, step="payment")
    story.asked(Act.SKIP, at=302, step="payment", outcome="payment.declined")
    story.ruled(until=400)
    why = "acme/shop#7@ffffffffffff has started later and superseded the saga, which would yield to it again"
    assert [one.why for one in of(Refused, story) if isinstance(one, Refused)] == [why] * 3
    assert (story.state().status, story.state().epoch) == (SagaStatus.CANCELLED, 0)


# ---- the rest


def test_what_is_held_for_a_cause_that_never_came_is_kept_as_unmatched() -> None:
    story = Story(ORDER)
    story.started(at=0)
    story.emitted("stock", "stock.reserved", "nobody", at=20)
    assert len(story.state().held_events) == 1
    story.ruled(until=21)
    assert story.state().held_events == ()
    assert [one.why for one in story.state().unmatched] == ["what caused it is not on the log"]


def test_a_finished_saga_is_forgotten_in_time() -> None:
    story = Story(ORDER)
    story.emitted("payment", "payment.declined", story.started(at=0), at=10)
    story.compensated(sent(story.ruled(until=20)), at=30)
    story.ruled(until=DAY)
    assert Forget() not in story.decided
    story.ruled(until=9 * DAY)
    assert Forget() in story.decided


def test_an_incident_is_raised_before_what_a_step_works_on_leaves_the_log() -> None:
    story = Story(CAREFUL)
    received = story.started(at=0)
    story.asked(Act.PAUSE, at=10)
    story.ruled(until=11)
    story.parked("payment", received, at=12)
    story.ruled(until=29 * DAY + 1)
    raised = [one.incident.kind for one in of(Raised, story) if isinstance(one, Raised)]
    assert raised == ["ageing"]


@given(
    st.sampled_from([ORDER, CAREFUL, replace(CAREFUL, deadline=timedelta(days=30)), CODE_REVIEW]),
    st.integers(0, 4),
    st.lists(st.integers(0, 10**10), min_size=5, max_size=5),
)
def test_the_short_way_to_the_next_due_time_is_the_agendas(saga: Saga, events: int, times: list[int]) -> None:
    story = Story(saga)
    at = sorted(times)
    cause = story.started(at=at[0])
    for step, when in zip(saga.steps[:events], at[1:], strict=False):
        cause = story.emitted(step.name, step.emits[0].event_type, cause, at=when)
    story.emitted(saga.steps[-1].name, saga.steps[-1].emits[0].event_type, "nobody", at=at[-1])
    state = story.state()
    assert is_plain(state)
    assert plain_due(state, saga_plan(saga)) == min(item.at for item in due_items(state, saga_plan(saga), NOTHING_WIDE))
