from __future__ import annotations

from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.definition.model import COMPLETED, FAILED, Saga, Step
from kafka_saga.events.event import Event
from kafka_saga.tracker.core.decisions import Completed, Failed, Started
from kafka_saga.tracker.core.facts import EventFact
from kafka_saga.tracker.core.fold import MAX_EVENTS
from kafka_saga.tracker.core.pruning import MAX_UNMATCHED
from kafka_saga.tracker.core.state import SagaStatus, StepStatus, decode, encode
from tests.unit.kafka_saga.tracker.history import History, Story, folded, interleaved
from topology.code_review import CODE_REVIEW


class Asked(Event):
    event_type: ClassVar[str] = "asked"


class Tried(Event):
    event_type: ClassVar[str] = "tried"


class Again(Event):
    event_type: ClassVar[str] = "again"


class Good(Event):
    event_type: ClassVar[str] = "good"


class Noted(Event):
    event_type: ClassVar[str] = "noted"


class Filed(Event):
    event_type: ClassVar[str] = "filed"


LOOP = Saga(
    name="loop",
    version=1,
    starts_on=Asked,
    key="k",
    run="r",
    steps=(
        Step("first", on=Asked, emits=(Tried,)),
        Step("check", on=Tried, emits=(Again, Good)),
        Step("mend", on=Again, emits=(Tried,)),
    ),
    ends={Good: COMPLETED},
)

FORK = Saga(
    name="fork",
    version=1,
    starts_on=Asked,
    key="k",
    run="r",
    steps=(
        Step("try", on=Asked, emits=(Tried,)),
        Step("judge", on=Tried, emits=(Good, Again)),
        Step("note", on=Tried, emits=(Noted,)),
        Step("file", on=Noted, emits=(Filed,)),
    ),
    ends={Good: COMPLETED, Again: FAILED, Filed: COMPLETED},
)


def reviewed() -> History:
    history = History(CODE_REVIEW)
    received = history.started(at=1_000)
    validated = history.emitted("validate", "pr.validated", received, at=1_010)
    parsed = history.emitted("ast", "ast.completed", validated, at=1_500)
    judged = history.emitted("llm", "llm.completed", parsed, at=3_000)
    history.emitted("comment", "comments.created", judged, at=3_100)
    return history


def looped(rounds: int) -> History:
    history = History(LOOP)
    tried = history.emitted("first", "tried", history.started(at=0), at=1)
    for number in range(rounds):
        again = history.emitted("check", "again", tried, at=10 * number + 10)
        tried = history.emitted("mend", "tried", again, at=10 * number + 15)
    history.emitted("check", "good", tried, at=10 * rounds + 10)
    return history


def forked(*, good: bool) -> History:
    history = History(FORK)
    tried = history.emitted("try", "tried", history.started(at=0), at=5)
    history.emitted("judge", "good" if good else "again", tried, at=8)
    noted = history.emitted("note", "noted", tried, at=9)
    history.emitted("file", "filed", noted, at=20)
    return history


def test_a_saga_is_running_from_its_first_event_and_the_first_step_is_queued() -> None:
    history = History(CODE_REVIEW)
    history.started(at=1_000)
    state = history.state()
    assert (state.status, state.started_at) == (SagaStatus.RUNNING, 1_000)
    assert [step.status for step in state.steps] == [StepStatus.QUEUED, *[StepStatus.WAITING] * 3]
    assert state.step("validate").since == 1_000


def test_a_saga_is_completed_by_its_final_event_and_knows_how_long_each_step_took() -> None:
    state, decided = folded(reviewed().facts, CODE_REVIEW)
    assert (state.status, state.end, state.ended_at, state.revision) == (
        SagaStatus.COMPLETED, "comments.created", 3_100, 5,
    )  # fmt: skip
    assert [(run.at, run.ended_at) for step in state.steps for run in step.runs] == [
        (1_000, 1_010), (1_010, 1_500), (1_500, 3_000), (3_000, 3_100),
    ]  # fmt: skip
    assert decided == [Started(1_000), Completed(3_100, "comments.created")]


def test_a_rejected_pull_request_is_completed_and_the_steps_after_it_are_skipped() -> None:
    history = History(CODE_REVIEW)
    history.emitted("validate", "pr.rejected", history.started(at=0), at=7)
    state = history.state()
    assert (state.status, state.end) == (SagaStatus.COMPLETED, "pr.rejected")
    assert [step.status for step in state.steps] == [StepStatus.DONE, *[StepStatus.SKIPPED] * 3]


def test_a_failed_report_fails_its_step_and_what_becomes_of_the_saga_is_a_ruling() -> None:
    history = History(CODE_REVIEW)
    validated = history.emitted("validate", "pr.validated", history.started(at=0), at=5)
    history.failed("ast", validated, at=9, reason="out of memory")
    state = history.state()
    assert (state.status, state.step("ast").status) == (SagaStatus.RUNNING, StepStatus.FAILED)
    assert state.step("ast").error == "out of memory"


def test_an_outcome_that_comes_after_a_failed_report_counts() -> None:
    history = History(CODE_REVIEW)
    validated = history.emitted("validate", "pr.validated", history.started(at=0), at=5)
    history.failed("ast", validated, at=9)
    history.emitted("ast", "ast.completed", validated, at=12)
    state = history.state()
    assert (state.status, state.step("ast").status) == (SagaStatus.RUNNING, StepStatus.DONE)
    assert state.step("llm").status is StepStatus.QUEUED


def test_an_event_whose_cause_is_unseen_is_held_and_taken_in_when_it_comes() -> None:
    facts = reviewed().facts
    early, _ = folded(facts[2:], CODE_REVIEW)
    assert (early.status, len(early.held_events), early.events) == (SagaStatus.UNKNOWN, 3, ())
    late, _ = folded([*facts[2:], *facts[:2]], CODE_REVIEW)
    assert (late.status, late.held_events) == (SagaStatus.COMPLETED, ())


def test_the_same_event_again_changes_nothing_and_is_kept_as_unmatched() -> None:
    facts = reviewed().facts
    state, decided = folded([*facts, facts[1]], CODE_REVIEW)
    assert [one.why for one in state.unmatched] == ["the same event again"]
    assert (state.status, len(decided)) == (SagaStatus.COMPLETED, 2)


def test_what_fits_nowhere_is_kept_with_the_cause() -> None:
    history = History(CODE_REVIEW)
    received = history.started(at=0)
    history.emitted("nobody", "ast.completed", received, at=1)
    history.emitted("validate", "llm.completed", received, at=2)
    history.skipped("validate", received, at=3)
    assert [one.why for one in history.state().unmatched] == [
        "code_review has no step 'nobody'",
        "step validate does not declare llm.completed",
        "this saga was started before",
    ]


def test_unmatched_records_are_bounded() -> None:
    history = History(CODE_REVIEW)
    received = history.started(at=0)
    for at in range(50):
        history.skipped("validate", received, at=at)
    state = history.state()
    assert len(state.unmatched) == MAX_UNMATCHED
    assert state.revision == 51


def test_a_step_in_a_loop_has_a_run_for_every_round() -> None:
    state = looped(rounds=3).state()
    assert state.status is SagaStatus.COMPLETED
    assert [len(step.runs) for step in state.steps] == [1, 4, 3]


def test_a_saga_that_loops_on_stays_bounded_and_still_ends() -> None:
    state = looped(rounds=MAX_EVENTS).state()
    assert state.status is SagaStatus.COMPLETED
    assert len(state.events) == MAX_EVENTS
    assert state.forgotten == 2 * MAX_EVENTS + 3 - MAX_EVENTS


def test_a_forked_saga_ends_when_no_branch_has_anything_left_to_do() -> None:
    facts = forked(good=True).facts
    assert folded(facts[:3], FORK)[0].status is SagaStatus.RUNNING
    assert folded(facts, FORK)[0].status is SagaStatus.COMPLETED


def test_of_several_final_events_the_gravest_counts() -> None:
    story = Story(FORK)
    story.facts += forked(good=False).facts
    story.ruled(until=100)
    assert (story.state().status, story.state().end) == (SagaStatus.FAILED, "again")


def test_an_effect_is_never_dated_before_its_cause() -> None:
    history = History(CODE_REVIEW)
    received = history.started(at=1_000)
    history.emitted("validate", "pr.validated", received, at=990)
    assert [event.at for event in history.state().events] == [1_000, 1_000]


def test_the_state_survives_its_encoding() -> None:
    state = reviewed().state()
    assert decode(encode(state)) == state


HISTORIES = st.sampled_from([
    reviewed(), looped(0), looped(1), looped(4), forked(good=True), forked(good=False),
])  # fmt: skip


@given(HISTORIES, st.lists(st.integers(0, 5), max_size=40), st.data())
def test_the_same_facts_in_any_order_that_keeps_each_topics_own_give_the_same_state(
    history: History, choices: list[int], data: st.DataObject
) -> None:
    faulty = History(history.definition, list(history.facts), dict(history.offsets))
    for fact in data.draw(st.lists(st.sampled_from(history.facts), max_size=3)):
        assert isinstance(fact, EventFact)
        cause, step = fact.envelope.causation_id, fact.envelope.step
        if cause and step:
            faulty.failed(step, cause, at=data.draw(st.integers(0, 4_000)))
            faulty.skipped(step, cause, at=data.draw(st.integers(0, 4_000)))
    straight, _ = folded(faulty.facts, history.definition)
    shuffled, _ = folded(interleaved(faulty.facts, choices), history.definition)
    assert shuffled == straight


@given(HISTORIES, st.lists(st.integers(0, 5), max_size=40))
def test_whatever_the_order_a_faultless_saga_is_started_once_and_ended_once(
    history: History, choices: list[int]
) -> None:
    story = Story(history.definition)
    story.facts += interleaved(history.facts, choices)
    story.ruled(until=100_000)
    kinds = [type(decision) for decision in story.decided]
    assert kinds.count(Started) == 1
    assert kinds.count(Completed) + kinds.count(Failed) == 1


def test_a_saga_of_another_definition_with_the_same_id_is_told_apart_and_kept() -> None:
    history, other = History(CODE_REVIEW), History(LOOP)
    history.started(at=0)
    other.started(at=1)
    state, _ = folded([*history.facts, *other.facts], CODE_REVIEW)
    assert [one.why for one in state.unmatched] == [
        "it belongs to a saga of loop, but its id is that of a saga of code_review"
    ]
