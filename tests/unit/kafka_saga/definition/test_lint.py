"""The linter finds what cannot work, says where, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest

from examples.order.definition import ORDER
from kafka_saga.definition.durations import days, hours, minutes, seconds
from kafka_saga.definition.lint import Code, Problem, check, check_all, lint, lint_all
from kafka_saga.definition.model import COMPLETED, FAILED, OnFailure, Retry, Saga, Step
from kafka_saga.errors import TopologyError
from kafka_saga.events.event import Event
from tests.unit.kafka_saga.definition.small import (
    BRANCHING,
    FIRST,
    GOOD,
    LAST,
    LOOPING,
    Begun,
    Done,
    Left,
    Logged,
    Lost,
    Merged,
    Right,
)
from topology.code_review import CODE_REVIEW

NAN = float("nan")


def codes(problems: tuple[Problem, ...]) -> list[Code]:
    return [problem.code for problem in problems]


def only(problems: tuple[Problem, ...]) -> Problem:
    (problem,) = problems
    return problem


def with_first(**changes: object) -> Saga:
    return replace(GOOD, steps=(replace(FIRST, **changes), LAST))  # type: ignore[arg-type]


def with_last(**changes: object) -> Saga:
    return replace(GOOD, steps=(FIRST, replace(LAST, **changes)))  # type: ignore[arg-type]


def with_retry(**changes: object) -> Saga:
    return with_first(retry=replace(Retry(), **changes))  # type: ignore[arg-type]


def with_event(event_type: object) -> Saga:
    event = type("Named", (Event,), {} if event_type is None else {"event_type": event_type})
    return replace(GOOD, steps=(replace(FIRST, emits=(event,)), replace(LAST, on=event)))


@pytest.mark.parametrize("saga", [GOOD, BRANCHING, LOOPING, CODE_REVIEW, ORDER], ids=lambda saga: str(saga.name))
def test_a_sound_definition_has_no_problems(saga: Saga) -> None:
    assert lint(saga) == ()
    check(saga)


def test_sound_definitions_run_side_by_side() -> None:
    assert lint_all([CODE_REVIEW, ORDER]) == ()
    check_all([CODE_REVIEW, ORDER])


class NotText(Event):
    event_type: ClassVar[str] = "not text"


BROKEN: dict[str, tuple[Callable[[], Saga], Code, str]] = {
    "saga name": (lambda: replace(GOOD, name="Good saga"), Code.BAD_NAME, "Good saga v1, name"),
    "version": (lambda: replace(GOOD, version=0), Code.BAD_VERSION, "good v0, version"),
    "step name": (lambda: with_first(name="First"), Code.BAD_NAME, "good v1, step 'First', name"),
    "step name with a newline": (lambda: with_first(name="a\n"), Code.BAD_NAME, "good v1, step 'a\\n', name"),
    "two steps of a name": (lambda: with_first(name="last"), Code.DUPLICATE_STEP, "good v1, steps"),
    "an outcome twice": (
        lambda: with_first(emits=(Left, Left)),
        Code.DUPLICATE_OUTCOME,
        "good v1, step 'first', emits",
    ),
    "a by-product twice": (
        lambda: with_first(also=(Logged, Logged)),
        Code.DUPLICATE_OUTCOME,
        "good v1, step 'first', also",
    ),
    "outcome and by-product": (
        lambda: with_first(also=(Left,)),
        Code.DUPLICATE_OUTCOME,
        "good v1, step 'first', emits",
    ),
    "no event type": (lambda: with_event(None), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "event type of a wrong type": (lambda: with_event(7), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "event type with a space": (lambda: with_event("a b"), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "event type with a newline": (lambda: with_event("a\n"), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "empty event type": (lambda: with_event(""), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "dots": (lambda: with_event(".."), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "long event type": (lambda: with_event("x" * 250), Code.BAD_EVENT_TYPE, "good v1, event Named"),
    "shared topic": (lambda: with_event("saga.steps"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "future topic": (lambda: with_event("saga.anything"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "dead letters": (lambda: with_event("dead.letters"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "work topic": (lambda: with_event("other.work"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "compensated": (lambda: with_event("other.compensated"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "Kafka's own": (lambda: with_event("__consumer_offsets"), Code.RESERVED_TOPIC, "good v1, event Named"),
    "one event type, two classes": (lambda: with_event("done"), Code.DUPLICATE_EVENT_TYPE, "good v1, event done"),
    "metrics collide": (lambda: with_event("good_intake"), Code.TOPICS_COLLIDE, "good v1"),
    "unreadable key": (lambda: replace(GOOD, key="{name"), Code.BAD_TEMPLATE, "good v1, key"),
    "attribute in key": (lambda: replace(GOOD, key="{name.upper}"), Code.BAD_TEMPLATE, "good v1, key"),
    "unknown field": (lambda: replace(GOOD, run="{nme}"), Code.BAD_TEMPLATE, "good v1, run"),
    "nullable field": (lambda: replace(GOOD, key="{note}"), Code.BAD_TEMPLATE, "good v1, key"),
    "constant key": (lambda: replace(GOOD, key="all"), Code.BAD_TEMPLATE, "good v1, key"),
    "empty run": (lambda: replace(GOOD, run=" "), Code.BAD_TEMPLATE, "good v1, run"),
    "@ in run": (lambda: replace(GOOD, run="{name}@{number}"), Code.BAD_TEMPLATE, "good v1, run"),
    "control character": (lambda: replace(GOOD, key="{name}\n"), Code.BAD_TEMPLATE, "good v1, key"),
    "long template": (lambda: replace(GOOD, run="x" * 500), Code.BAD_TEMPLATE, "good v1, run"),
    "no steps": (lambda: replace(GOOD, steps=()), Code.NO_STEPS, "good v1, steps"),
    "no ends": (lambda: replace(GOOD, ends={}), Code.NO_ENDS, "good v1, ends"),
    "no outcome": (lambda: with_last(emits=()), Code.EMITS_NOTHING, "good v1, step 'last', emits"),
    "no first step": (lambda: replace(GOOD, starts_on=Right), Code.NO_FIRST_STEP, "good v1, starts_on"),
    "two first steps": (
        lambda: replace(GOOD, steps=(*GOOD.steps, Step("other", on=Begun, emits=(Left,)))),
        Code.SEVERAL_FIRST_STEPS,
        "good v1, starts_on",
    ),
    "back to the start": (
        lambda: with_last(emits=(Begun, Done)),
        Code.EMITS_THE_START,
        "good v1, step 'last', emits",
    ),
    "own trigger": (lambda: with_last(emits=(Done, Left)), Code.EMITS_ITS_TRIGGER, "good v1, step 'last', emits"),
    "own trigger on the side": (lambda: with_last(also=(Left,)), Code.EMITS_ITS_TRIGGER, "good v1, step 'last', also"),
    "nobody emits": (lambda: with_last(on=Right), Code.NOBODY_EMITS, "good v1, step 'last', on"),
    "nobody consumes": (
        lambda: with_first(emits=(Left, Right)),
        Code.NOBODY_CONSUMES,
        "good v1, step 'first', emits",
    ),
    "an end that nobody emits": (
        lambda: replace(GOOD, ends={Done: COMPLETED, Lost: FAILED}),
        Code.END_NOBODY_EMITS,
        "good v1, ends",
    ),
    "an end on the side": (
        lambda: replace(with_first(also=(Lost,)), ends={Done: COMPLETED, Lost: FAILED}),
        Code.END_IS_BY_PRODUCT,
        "good v1, ends",
    ),
    "an end that triggers": (
        lambda: replace(GOOD, ends={Done: COMPLETED, Left: COMPLETED}),
        Code.END_TRIGGERS,
        "good v1, ends",
    ),
    "nothing compensates": (
        lambda: replace(GOOD, on_failure=OnFailure.COMPENSATE),
        Code.NOTHING_TO_COMPENSATE,
        "good v1, on_failure",
    ),
    "no timeout": (lambda: with_first(timeout=seconds(0)), Code.BAD_BOUND, "good v1, step 'first', timeout"),
    "negative deadline": (lambda: with_first(deadline=-seconds(1)), Code.BAD_BOUND, "good v1, step 'first', deadline"),
    "saga's deadline": (lambda: replace(GOOD, deadline=seconds(0)), Code.BAD_BOUND, "good v1, deadline"),
    "no settling": (lambda: replace(GOOD, settle_timeout=seconds(0)), Code.BAD_BOUND, "good v1, settle_timeout"),
    "negative keeping": (lambda: replace(GOOD, keep_finished=-days(1)), Code.BAD_BOUND, "good v1, keep_finished"),
    "deadline within timeout": (
        lambda: with_first(deadline=minutes(4)),
        Code.BOUNDS_CONTRADICT,
        "good v1, step 'first', deadline",
    ),
    "timeout beyond the saga": (
        lambda: replace(with_last(timeout=hours(2)), deadline=hours(1)),
        Code.BOUNDS_CONTRADICT,
        "good v1, step 'last', timeout",
    ),
    "deadline beyond the saga": (
        lambda: replace(with_last(deadline=hours(2)), deadline=hours(1)),
        Code.BOUNDS_CONTRADICT,
        "good v1, step 'last', deadline",
    ),
    "no attempt": (lambda: with_retry(attempts=0), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "no delay": (lambda: with_retry(first=seconds(0)), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "shrinking": (lambda: with_retry(factor=0.5), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "no factor": (lambda: with_retry(factor=NAN), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "max below first": (lambda: with_retry(max_delay=seconds(0.5)), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "jitter of 1": (lambda: with_retry(jitter=1), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "no jitter": (lambda: with_retry(jitter=NAN), Code.BAD_RETRY, "good v1, step 'first', retry"),
    "wrong type": (lambda: replace(GOOD, key=7), Code.WRONG_TYPE, "good v1, key"),  # type: ignore[arg-type]
    "list of steps": (lambda: replace(GOOD, steps=[FIRST]), Code.WRONG_TYPE, "good v1, steps"),  # type: ignore[arg-type]
    "trigger is text": (lambda: with_first(on="begun"), Code.WRONG_TYPE, "good v1, step 1 (first), on"),
    "retry of text": (lambda: with_retry(attempts="5"), Code.WRONG_TYPE, "good v1, step 1 (first), retry, attempts"),
    "true version": (lambda: replace(GOOD, version=True), Code.WRONG_TYPE, "definition, version"),
    "no step": (lambda: replace(GOOD, steps=(FIRST, None)), Code.WRONG_TYPE, "good v1, step 2"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_each_problem_is_found_where_it_is(broken: tuple[Callable[[], Saga], Code, str]) -> None:
    build, code, place = broken
    found = {(problem.code, problem.place) for problem in lint(build())}
    assert (code, place) in found


def test_a_problem_is_a_sentence_that_ends_in_its_mend() -> None:
    assert str(only(lint(with_first(deadline=seconds(30))))) == (
        "good v1, step 'first', deadline: the deadline of the whole step (30 s) is shorter than the timeout of one "
        "attempt (5 min). Mend: make the deadline at least as long as the timeout."
    )


def test_a_forgotten_comma_is_told() -> None:
    problem = only(lint(with_first(emits=Left)))
    assert problem.what == "emits is the class Left, not a tuple of Event classes"
    assert problem.mend == "write emits=(Left,) with the comma that makes a tuple"


def test_a_broken_trigger_is_told_once_at_its_root() -> None:
    saga = replace(GOOD, steps=(*GOOD.steps, Step("b", on=Right, emits=(Merged,)), Step("c", on=Merged, emits=(Done,))))
    assert [(problem.code, problem.place) for problem in lint(saga)] == [
        (Code.NOBODY_EMITS, "good v1, step 'b', on"),
        (Code.UNREACHABLE, "good v1, step 'c', on"),
    ]


def test_a_cycle_without_exit_names_its_steps() -> None:
    saga = replace(GOOD, steps=(FIRST, Step("ping", on=Left, emits=(Right,)), Step("pong", on=Right, emits=(Left,))))
    found = {problem.code: problem for problem in lint(saga)}
    assert "steps 'ping' and 'pong' lead to one another for ever" in found[Code.CYCLE_WITHOUT_EXIT].what


def test_a_cycle_with_an_exit_is_sound() -> None:
    ping, pong = Step("ping", on=Left, emits=(Right, Done)), Step("pong", on=Right, emits=(Left,))
    assert lint(replace(GOOD, steps=(FIRST, ping, pong))) == ()


def test_an_end_that_only_unreachable_steps_emit_is_no_end() -> None:
    saga = replace(GOOD, steps=(FIRST, Step("ping", on=Left, emits=(Right,)), Step("island", on=Lost, emits=(Done,))))
    assert Code.NO_REACHABLE_END in codes(lint(saga))


def test_by_products_need_no_consumer() -> None:
    assert lint(with_first(also=(Logged,))) == ()


def test_a_by_product_may_trigger_a_step() -> None:
    saga = with_first(also=(Logged,))
    assert lint(replace(saga, steps=(*saga.steps, Step("file", on=Logged, emits=(Done,))))) == ()


def test_two_steps_may_come_to_the_same_outcome() -> None:
    assert lint(with_first(emits=(Left, Done))) == ()


@pytest.mark.parametrize("consumer", [Right, "right"])
def test_an_outcome_that_others_consume_needs_no_step(consumer: str | type[Event]) -> None:
    saga = with_first(emits=(Left, Right))
    assert codes(lint(saga)) == [Code.NOBODY_CONSUMES]
    assert lint(saga, consumers=[consumer]) == ()


def test_a_saga_that_only_others_could_end_cannot_end() -> None:
    saga = with_first(emits=(Left,), also=(Logged,))
    file = Step("file", on=Logged, emits=(Right,))
    assert codes(lint(replace(saga, steps=(*saga.steps, file)), consumers=[Right])) == [Code.CANNOT_END]


def test_check_lists_every_problem_a_line_each() -> None:
    with pytest.raises(TopologyError) as caught:
        check(replace(GOOD, version=0, name="Bad", key="{x}"))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["Bad v0, name", "Bad v0, version", "Bad v0, key"]
    assert all(". Mend: " in line for line in lines)


def test_what_is_no_saga_is_a_problem_too() -> None:
    assert codes(lint(None)) == [Code.WRONG_TYPE]  # type: ignore[arg-type]
    assert codes(lint_all([GOOD, "good"])) == [Code.WRONG_TYPE]  # type: ignore[list-item]


def test_no_two_definitions_have_the_same_name_and_version() -> None:
    problem = only(lint_all([GOOD, replace(GOOD, description="again")]))
    assert (problem.code, problem.place) == (Code.DUPLICATE_DEFINITION, "good v1")


def test_versions_of_a_definition_share_events_and_steps() -> None:
    assert lint_all([GOOD, replace(GOOD, version=2)]) == ()


def test_versions_of_a_definition_share_classes() -> None:
    problem = only(lint_all([GOOD, replace(with_event("left"), version=2)]))
    assert (problem.code, problem.place) == (Code.DUPLICATE_EVENT_TYPE, "good v2, event left")


def test_events_and_steps_belong_to_one_definition() -> None:
    other = replace(GOOD, name="other", steps=(replace(FIRST, name="one"), LAST))
    assert [(problem.code, problem.place) for problem in lint_all([GOOD, other])] == [
        (Code.SHARED_EVENT_TYPE, "other v1, event begun"),
        (Code.SHARED_EVENT_TYPE, "other v1, event left"),
        (Code.SHARED_EVENT_TYPE, "other v1, event done"),
        (Code.SHARED_STEP, "other v1, step 'last'"),
    ]
    with pytest.raises(TopologyError, match=r"begun belongs to good and other"):
        check_all([GOOD, other])


def test_topics_of_two_definitions_must_not_look_alike_to_kafka() -> None:
    event = type("Odd", (Event,), {"event_type": "validate_work"})
    step = Step("odd", on=event, emits=(event,))
    odd = replace(GOOD, name="odd", starts_on=event, steps=(step,), ends={event: COMPLETED})
    alike = [problem.what for problem in lint_all([CODE_REVIEW, odd]) if problem.code is Code.TOPICS_COLLIDE]
    assert alike == ["the topics validate.work and validate_work differ only by '.' and '_', which Kafka refuses"]
