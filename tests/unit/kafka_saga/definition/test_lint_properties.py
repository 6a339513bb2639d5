"""Whatever the definition, the linter answers; and what it passes can be reached and can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafka_saga.definition.diagram import as_mermaid, as_text
from kafka_saga.definition.lint import Code, check, lint, lint_all
from kafka_saga.definition.model import EndStatus, OnFailure, Retry, Saga, Step
from kafka_saga.errors import TopologyError
from kafka_saga.events.event import Event
from tests.unit.kafka_saga.definition.small import EVENTS, GOOD, Begun

events = st.sampled_from(EVENTS)
names = st.sampled_from(["a", "b", "c", "d", "e"])
bounds = st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(hours=1)])

retries = st.builds(
    Retry,
    attempts=st.integers(0, 3),
    first=bounds,
    factor=st.floats(),
    max_delay=bounds,
    jitter=st.floats(),
)
steps = st.builds(
    Step,
    name=names,
    on=events,
    emits=st.lists(events, max_size=2).map(tuple),
    also=st.lists(events, max_size=1).map(tuple),
    timeout=bounds,
    deadline=st.none() | bounds,
    retry=retries,
    compensates=st.booleans(),
)
anything_shaped = st.builds(
    Saga,
    name=names,
    version=st.integers(-1, 2),
    starts_on=events,
    key=st.sampled_from(["{name}", "{number}", "{", "", "{note}"]),
    run=st.sampled_from(["{number}", "once", "@", "{x!r}"]),
    steps=st.lists(steps, max_size=5).map(tuple),
    ends=st.dictionaries(events, st.sampled_from(EndStatus), max_size=2),
    deadline=st.none() | bounds,
    on_failure=st.sampled_from(OnFailure),
    settle_timeout=bounds,
    keep_finished=bounds,
)


@st.composite
def flowing(draw: st.DrawFn) -> Saga:
    """Sound but for its flow: steps are mostly triggered by what earlier ones emit, ends are mostly what is left."""
    outcomes = st.lists(st.sampled_from(EVENTS[1:]), min_size=1, max_size=2, unique=True).map(tuple)
    by_products = st.just(()) | st.tuples(st.sampled_from(EVENTS[1:]))
    made = [Step("step0", on=Begun, emits=draw(outcomes), also=draw(by_products))]
    for at in range(1, draw(st.integers(1, 5))):
        known = [event for step in made for event in (*step.emits, *step.also)]
        on = draw(st.sampled_from(EVENTS if draw(st.integers(0, 7)) == 0 else known))
        left = st.sampled_from([event for event in EVENTS[1:] if event is not on])
        made.append(Step(f"step{at}", on=on, emits=tuple(draw(st.lists(left, min_size=1, max_size=2, unique=True)))))
    triggers = {step.on for step in made}
    left_over = [event for step in made for event in step.emits if event not in triggers]
    ends = draw(st.lists(events, max_size=2)) if draw(st.integers(0, 4)) == 0 else left_over
    return replace(GOOD, steps=tuple(made), ends=dict.fromkeys(ends, EndStatus.COMPLETED))


numbers = [0, -1, True, 1.5, float("nan"), -(10**5000)]
others = [None, "", "x", object(), object, Event, Begun, (), (None,), [Begun], {}, {1: 2}]
junk: st.SearchStrategy[Any] = st.sampled_from([*numbers, *others])
junk_steps = st.builds(Step, junk, on=junk, emits=junk, also=junk, timeout=junk, deadline=junk, retry=junk | retries)
junk_retries = st.builds(Retry, attempts=junk, first=junk, factor=junk, max_delay=junk, jitter=junk)
junk_sagas = st.builds(
    Saga,
    name=junk,
    version=junk,
    starts_on=junk,
    key=junk,
    run=junk,
    steps=junk | st.lists(junk | junk_steps | steps, max_size=3).map(tuple),
    ends=st.dictionaries(st.sampled_from([None, 1, Begun, object]), junk, max_size=2),
    deadline=junk,
    on_failure=junk,
    settle_timeout=junk,
    keep_finished=junk,
)


def leads_to(saga: Saga, first: set[type[Event]]) -> tuple[set[str], bool]:
    """The oracle: run every step whose trigger has happened until nothing new happens; which ran, and did it end?"""
    happened, ran = set(first), set[str]()
    while True:
        ready = [step for step in saga.steps if step.on in happened and step.name not in ran]
        if not ready:
            break
        for step in ready:
            ran.add(step.name)
            happened.update(step.emits, step.also)
    outcomes = {event for step in saga.steps if step.name in ran for event in step.emits}
    return ran, bool(outcomes & set(saga.ends))


@settings(max_examples=300)
@given(flowing())
def test_in_what_lints_clean_every_step_is_reached_and_can_end(saga: Saga) -> None:
    problems = lint(saga)
    reached, ends = leads_to(saga, {saga.starts_on})
    stuck = [step for step in saga.steps if not leads_to(saga, {step.on})[1]]
    if not problems:
        assert reached == {step.name for step in saga.steps}
        assert ends
        assert not stuck
    unreached = {step.name for step in saga.steps} - reached
    told = {problem.place for problem in problems if problem.code in {Code.UNREACHABLE, Code.NOBODY_EMITS}}
    assert told == {f"good v1, step {name!r}, on" for name in unreached}
    assert any(problem.code in {Code.NO_ENDS, Code.NO_REACHABLE_END} for problem in problems) is not ends


@given(st.integers(1, 5), st.data())
def test_a_chain_of_steps_lints_clean(length: int, data: st.DataObject) -> None:
    chain = data.draw(st.permutations(EVENTS[1:]))[:length]
    triggers: list[type[Event]] = [Begun, *chain[:-1]]
    chained = tuple(
        Step(f"step{at}", on=on, emits=(to,)) for at, (on, to) in enumerate(zip(triggers, chain, strict=True))
    )
    ends = {chain[-1]: EndStatus.COMPLETED}
    assert lint(Saga("chain", 1, Begun, key="{name}", run="{number}", steps=chained, ends=ends)) == ()


@settings(max_examples=300)
@given(st.lists(anything_shaped | junk_sagas, max_size=2))
def test_the_linter_never_crashes(sagas: list[Saga]) -> None:
    problems = lint_all(sagas)
    assert all(problem.place and problem.what and problem.mend for problem in problems)


@given(junk_steps | junk_retries | junk)
def test_the_linter_takes_what_is_no_saga(value: object) -> None:
    assert [problem.code for problem in lint(value)] == [Code.WRONG_TYPE]  # type: ignore[arg-type]


@given(junk_sagas)
def test_check_raises_its_own_error_only(saga: Saga) -> None:
    with pytest.raises(TopologyError, match="Mend: "):
        check(saga)


@settings(max_examples=200)
@given(anything_shaped)
def test_even_broken_definitions_can_be_drawn(saga: Saga) -> None:
    drawn = as_text(saga)
    assert all(step.name in drawn for step in saga.steps)
    assert as_mermaid(saga).startswith("flowchart TD\n")
