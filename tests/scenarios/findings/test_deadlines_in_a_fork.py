"""Of several steps that one event triggers, each has its own deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import Saga
from kafka_saga.events.lifecycle import DeadlinePassed
from tests.scenarios.findings.fork import FORK, world_of
from tests.scenarios.findings.given import Started, require, told


def with_deadlines(deadlines: dict[str, timedelta]) -> Saga:
    """The fork, these of whose steps have a deadline."""
    steps = (
        replace(step, timeout=minutes(5), deadline=deadlines[step.name]) if step.name in deadlines else step
        for step in FORK.steps
    )
    return replace(FORK, steps=tuple(steps))


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the incident of a deadline that has passed names another step on the same event (seed 1885)",
)
def test_the_incident_of_a_deadline_names_the_step_whose_deadline_has_passed() -> None:
    with world_of(with_deadlines({"two": minutes(10)})) as world:
        world.stop("two")
        world.stop("three")
        saga = world.given(Started(key="k"))
        world.advance(minutes=15)

        passed = [event.step for event in told(world.system, saga.saga_id) if isinstance(event, DeadlinePassed)]
        require(passed == ["two"], "the deadline of step two has passed")
        assert [(incident.kind, incident.step) for incident in saga.state.incidents] == [("step_deadline", "two")]


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the deadline of a step never fires if that of another step on the same event has passed (seed 1885)",
)
def test_the_deadline_of_a_step_fires_although_that_of_another_step_on_the_same_event_has_passed() -> None:
    with world_of(with_deadlines({"two": minutes(10), "three": minutes(20)})) as world:
        world.stop("two")
        world.stop("three")
        saga = world.given(Started(key="k"))
        world.advance(minutes=30)

        passed = [event.step for event in told(world.system, saga.saga_id) if isinstance(event, DeadlinePassed)]
        assert passed == ["two", "three"]
