"""A saga that is paused, tried again or brought back without end stays small, and its clocks and attempts right."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as with_changes

from kafka_saga.definition.durations import days, minutes
from kafka_saga.definition.model import OnFailure, Retry
from kafka_saga.events.commands import Act
from kafka_saga.tracker.core.decisions import Compensate, Execute, TimedOut
from kafka_saga.tracker.core.derive import derived
from kafka_saga.tracker.core.due_items import next_due
from kafka_saga.tracker.core.pauses import NOTHING_WIDE, Wide
from kafka_saga.tracker.core.plan import MANY_EVENTS, saga_plan
from kafka_saga.tracker.core.pruning import KEPT_EVENTS, KEPT_PAUSES, KEPT_SENT, pruned
from kafka_saga.tracker.core.state import Pause, SagaState, SagaStatus, StepStatus, encode
from kafka_saga.wire.control import ControlEntry
from tests.unit.kafka_saga.tracker.history import Story, sent, undone
from tests.unit.kafka_saga.tracker.orders import CAREFUL, ORDER
from tests.unit.kafka_saga.tracker.test_fold import LOOP

MINUTE = 60_000
LARGE = 100_000
"""Bytes; a record may have ten times as many."""

PATIENT = replace(ORDER, steps=(replace(ORDER.steps[0], deadline=days(3)), *ORDER.steps[1:]), deadline=days(20))


def paused_and_resumed(story: Story, times: int) -> None:
    """Each time the delivery that is out is parked, and asked for again on resume."""
    about, command, at = story.facts[0].envelope.id, None, MINUTE  # type: ignore[union-attr]
    for _ in range(times):
        story.asked(Act.PAUSE, at=at)
        story.ruled(until=at + 1)
        story.parked("payment", about, at=at + 2, by=command)
        story.asked(Act.RESUME, at=at + MINUTE)
        command = sent(story.ruled(until=at + MINUTE + 1))
        at += 2 * MINUTE
        story.facts.clear()
        story._folded = 0


def test_a_saga_that_is_paused_and_resumed_without_end_stays_small_and_its_deadline_exact() -> None:
    times = 1_000
    story = Story(PATIENT)
    story.started(at=0)
    story.state()
    paused_and_resumed(story, times)
    state = story.state()
    assert len(encode(state)) < LARGE
    assert max(len(state.sent), len(state.reports)) <= 2 * KEPT_SENT + 1
    assert len(state.pauses) <= 3 * KEPT_PAUSES
    due = 3 * 24 * 60 * MINUTE + times * MINUTE
    assert not [one for one in story.ruled(until=due) if isinstance(one, TimedOut)]
    assert [one.at for one in story.ruled(until=due + 1) if isinstance(one, TimedOut)] == [due]


def test_every_command_of_a_trimmed_saga_has_an_id_of_its_own() -> None:
    story = Story(PATIENT)
    story.started(at=0)
    story.state()
    paused_and_resumed(story, 300)
    ids = [one.sent.id for one in story.decided if isinstance(one, Execute)]
    assert len(set(ids)) == len(ids) == 300


def test_a_step_that_fails_without_end_counts_its_attempts_right_and_stays_small() -> None:
    attempts = 500
    stubborn = replace(ORDER.steps[0], retry=Retry(attempts=attempts), deadline=None)
    story = Story(replace(ORDER, steps=(stubborn, *ORDER.steps[1:])))
    received = story.started(at=0)
    command = None
    for number in range(1, attempts + 1):
        story.failed("payment", received, at=number * 2 * MINUTE, reason="busy " * 100, retryable=True, by=command)
        assert story.state().step("payment").attempt == number
        assert len(encode(story.state())) < LARGE
        if number < attempts:
            command = sent(story.ruled(until=(number + 1) * 2 * MINUTE))
            assert command.attempt == number + 1
    assert story.state().step("payment").status is StepStatus.FAILED


def test_a_saga_that_is_rewound_without_end_forgets_what_has_been_undone() -> None:
    story = Story(CAREFUL)
    received, at = story.started(at=0), MINUTE
    stock = story.emitted("payment", "payment.authorized", received, at=at)
    for epoch in range(1, 151):
        shipping = story.emitted("stock", "stock.reserved", stock, at=at + 1, epoch=epoch - 1)
        at += 10 * MINUTE
        story.asked(Act.REWIND, at=at, step="payment")
        settled = story.ruled(until=at + 1)
        story.skipped("shipping", shipping, at=at + 2, code="cancelled")
        (undo,) = [one.sent for one in (*settled, *story.ruled(until=at + 3)) if isinstance(one, Compensate)]
        story.compensated(undo, at=at + 4)
        (undo,) = [one.sent for one in story.ruled(until=at + 5) if isinstance(one, Compensate)]
        story.compensated(undo, at=at + 6)
        (again,) = [one.sent for one in story.ruled(until=at + 7) if isinstance(one, Execute)]
        assert again.epoch == epoch
        stock = story.emitted("payment", "payment.authorized", received, at=at + 8, by=again)
        at += 8
    state = story.state()
    assert len(state.events) <= KEPT_EVENTS + 6
    assert len(encode(state)) < LARGE
    assert [step.status for step in state.steps] == [StepStatus.DONE, StepStatus.QUEUED, StepStatus.WAITING]
    assert undone(story.decided) == ["stock", "payment"] * 150


def test_deadlines_of_earlier_epochs_are_forgotten() -> None:
    strict = replace(CAREFUL.steps[0], deadline=minutes(1))
    story = Story(replace(CAREFUL, steps=(strict, *CAREFUL.steps[1:]), on_failure=OnFailure.INCIDENT))
    received, at, command = story.started(at=0), 0, None
    for _ in range(200):
        at += 2 * MINUTE
        story.ruled(until=at)
        story.asked(Act.REDRIVE, at=at, step="payment")
        story.ruled(until=at + 1)
        story.skipped("payment", received, at=at + 2, code="cancelled", by=command)
        command = sent(story.ruled(until=at + 3))
    state = story.state()
    assert len(state.fired) <= KEPT_SENT + 1
    assert (state.epoch, state.status) == (200, SagaStatus.RUNNING)


SPANS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), min_size=50, max_size=80)


@given(SPANS, st.lists(st.integers(0, 4_000), max_size=4), st.lists(st.integers(0, 4_000), max_size=4))
def test_pauses_that_are_put_together_stop_every_clock_for_as_long(
    spans: list[tuple[int, int]], frozen: list[int], overlapping: list[int]
) -> None:
    plan = saga_plan(replace(PATIENT, on_failure=OnFailure.INCIDENT))
    story = Story(PATIENT)
    cause = story.started(at=0)
    story.emitted("payment", "payment.authorized", cause, at=1_000)
    story.emitted("stock", "stock.reserved", story.facts[-1].envelope.id, at=2_000)  # type: ignore[union-attr]
    entry = ControlEntry(1, frozen=tuple((at, at + 30) for at in sorted(frozen)))
    wide = Wide(definition=entry) if frozen else NOTHING_WIDE
    state = with_changes(story.state(), pauses=_pauses(spans, overlapping))
    small = pruned(state, plan, wide)
    assert len(small.pauses) <= len(state.pauses)
    assert derived(small, plan, plan.steps) == with_changes(derived(state, plan, plan.steps), pauses=small.pauses)
    assert next_due(small, plan, wide) == next_due(state, plan, wide)


def _pauses(spans: list[tuple[int, int]], overlapping: list[int]) -> tuple[Pause, ...]:
    """Pauses of the saga one after the other, and some of a prefix across them."""
    found, at = [], 0
    for gap, length in spans:
        found.append(Pause("saga", "ann", "", at + gap, at + gap + length))
        at += gap + length
    return (*found, *(Pause("prefix:acme/", "bob", "", begin, begin + 55) for begin in overlapping))


def test_a_saga_to_which_little_has_happened_is_left_as_it_is() -> None:
    story = Story(ORDER)
    story.failed("payment", story.started(at=0), at=10, retryable=True)
    state: SagaState = story.state()
    assert pruned(state, saga_plan(ORDER), NOTHING_WIDE) is state


def test_a_person_is_asked_before_a_saga_that_loops_over_steps_to_undo_outgrows_its_record() -> None:
    undoable = replace(LOOP, steps=tuple(replace(step, compensates=True) for step in LOOP.steps))
    story = Story(undoable)
    tried = story.emitted("first", "tried", story.started(at=0), at=1)
    for number in range(1, MANY_EVENTS // 2 + 1):
        again = story.emitted("check", "again", tried, at=10 * number)
        tried = story.emitted("mend", "tried", again, at=10 * number + 5)
    at = story.facts[-1].at
    story.ruled(until=at + 1)
    (incident,) = story.state().incidents
    assert (incident.kind, incident.step, incident.commands) == ("growing", None, ("cancel",))
    assert len(encode(story.state())) < 3 * LARGE
    story.emitted("check", "good", tried, at=at + 10)
    story.ruled(until=at + 20)
    assert (story.state().status, story.state().incidents) == (SagaStatus.COMPLETED, ())
