"""What runs again has the time that its definition gives it, and works on what stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from kafka_saga.definition.durations import hours, minutes
from kafka_saga.definition.model import COMPLETED, OnFailure, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import DeadlinePassed
from kafka_saga.testing.commands import give
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from tests.scenarios.findings.given import SAGA, Started, control_of, require, told, world_of

BRIEF = replace(
    SAGA,
    steps=tuple(replace(step, timeout=minutes(5)) for step in SAGA.steps),
    deadline=hours(1),
    on_failure=OnFailure.COMPENSATE,
)
HURRIED = replace(
    SAGA,
    steps=(SAGA.steps[0], replace(SAGA.steps[1], timeout=minutes(5), deadline=minutes(5))),
)
ACME = "prefix:acme"


@pytest.fixture
def brief() -> Iterator[SagaTest]:
    with world_of(BRIEF) as world:
        yield world


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 6: a saga that is rewound after its deadline is undone at once, and its step never runs (seed 151)",
)
def test_a_saga_that_is_rewound_after_its_deadline_runs_its_step_again(brief: SagaTest) -> None:
    saga = brief.given(Started(key="k"))
    brief.advance(hours=2)

    saga.rewind(step="two")
    brief.advance(minutes=10)

    assert saga.attempts == (("one", 1), ("two", 1), ("two", 1))
    saga.then.completed().compensated()


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 6: a saga that is redriven after its deadline fails again at once, its step never runs (seed 151)",
)
def test_a_saga_that_is_redriven_after_its_deadline_runs_its_step_again(brief: SagaTest) -> None:
    brief.fail("one", TerminalError("no such key"), times=1)
    saga = brief.given(Started(key="k"))
    brief.advance(minutes=1)
    require(saga.status is SagaStatus.FAILED, "the saga has failed")
    brief.advance(hours=2)

    saga.redrive()
    brief.advance(minutes=10)

    assert saga.attempts == (("one", 1), ("one", 1), ("two", 1))
    saga.then.completed()


class Asked(Started):
    event_type: ClassVar[str] = "t.asked"

    round: int = 1


class Booked(Asked):
    event_type: ClassVar[str] = "t.booked"


class Done(Asked):
    event_type: ClassVar[str] = "t.done"


LOOP = Saga(
    name="t",
    version=1,
    starts_on=Started,
    key="{key}",
    run="{run}",
    steps=(
        Step("one", on=Started, emits=(Asked,)),
        Step("two", on=Asked, emits=(Booked,), compensates=True),
        Step("three", on=Booked, emits=(Done, Asked)),
    ),
    ends={Done: COMPLETED},
)
LAST_ROUND = 3


class Bookings:
    """What the handlers of the loop book, give back and work on, by round."""

    def __init__(self) -> None:
        self.given_back: list[int] = []
        self.worked_on: list[int] = []
        self.fails = True

    def ask(self, event: Started, _: Context) -> Asked:
        return Asked(key=event.key)

    def book(self, event: Asked, _: Context) -> Booked:
        return Booked(key=event.key, round=event.round)

    def give_back(self, event: Booked, _: Context) -> None:
        self.given_back.append(event.round)

    def work(self, event: Booked, _: Context) -> Done | Asked:
        if event.round < LAST_ROUND:
            return Asked(key=event.key, round=event.round + 1)
        if self.fails:
            raise TerminalError("the third is broken")
        self.worked_on.append(event.round)
        return Done(key=event.key, round=event.round)


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 7: a redrive of a step in a loop undoes the booking that the step then works on (seed 9)",
)
def test_a_step_of_a_loop_that_is_redriven_works_on_what_is_not_undone() -> None:
    bookings = Bookings()
    handlers = {"one": bookings.ask, "two": bookings.book, "three": bookings.work}
    with SagaTest(LOOP, handlers, {"two": bookings.give_back}) as world:
        saga = world.given(Started(key="k"))
        world.advance(minutes=1)
        require(bool(saga.state.incidents), "the third round has failed")

        bookings.fails = False
        saga.redrive()
        world.advance(minutes=1)

        saga.then.completed()
        assert bookings.worked_on == [LAST_ROUND]
        assert LAST_ROUND not in bookings.given_back


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 11: a prefix pause that a saga had not noted before the resume puts off no deadline (seed 584)",
)
def test_a_paused_prefix_puts_off_deadlines_although_its_tracker_died_and_another_came_late() -> None:
    with world_of(HURRIED) as world:
        world.stop("two")
        saga = world.given(Started(key="acme"))
        give(world.system.cluster, "freeze", wide(Act.PAUSE))
        run_tracker_until_the_entry_is_written(world.system)
        world.kill("tracker")
        world.advance(hours=2)
        give(world.system.cluster, "thaw", wide(Act.RESUME))

        world.start_tracker()
        world.advance(minutes=1)

        assert not [event for event in told(world.system, saga.saga_id) if isinstance(event, DeadlinePassed)]
        world.start("two")
        world.advance(minutes=1)
        saga.then.completed()


def wide(act: Act) -> SagaCommand:
    return SagaCommand(command=act, scope=ACME, author="ann", reason="audit")


def run_tracker_until_the_entry_is_written(world: System) -> None:
    """The tracker has written that the prefix is paused, and has done nothing since."""
    (name,) = [name for name in world.processes if name.startswith("tracker")]
    for _ in range(10):
        if control_of(world, ACME) is None:
            world.turn(name)
            world.clock.advance(0.001)
    require(control_of(world, ACME) is not None, "the prefix is paused")
