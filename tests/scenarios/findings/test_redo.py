"""What a person has brought back goes on from where it was, or is given up in order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.definition.durations import minutes
from kafka_saga.engine.context import Context
from kafka_saga.events.lifecycle import SagaCompleted
from kafka_saga.testing.kit import SagaTest
from kafka_saga.tracker.core.state import StepStatus
from tests.scenarios.findings import fork
from tests.scenarios.findings.fork import FORK, End, Right
from tests.scenarios.findings.given import HANDLERS, SAGA, B, Started, require, told, undo_one

BOTH_UNDONE = replace(SAGA, steps=(SAGA.steps[0], replace(SAGA.steps[1], compensates=True)))


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a saga is told completed before the outcome that a skipped step was given is read (seed 126)",
)
def test_a_saga_whose_step_is_skipped_completes_once_and_after_the_steps_that_follow() -> None:
    with fork.world_of(FORK) as world:
        world.delay("three", minutes(3))
        world.delay("four", minutes(10))
        saga = world.given(Started(key="k"))
        require(saga.step("two").status is StepStatus.DONE, "step two has ended the other branch")

        saga.skip(step="three", outcome=Right(key="k"))
        world.advance(minutes=5)
        require(saga.step("four").status is StepStatus.RUNNING, "what follows the skipped step runs")
        before = ends_told(world)
        world.advance(minutes=10)

        saga.then.completed()
        assert (before, ends_told(world)) == ([], [End.event_type])


def ends_told(world: SagaTest) -> list[str]:
    """By which event the saga was told to be completed, each time."""
    return [event.end for event in told(world.system, "k@1") if isinstance(event, SagaCompleted)]


def undo_two(event: B, _: Context) -> str:
    return f"{event.key} is taken back"


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a saga that is cancelled while it is brought back does not wait for the deliveries that are out (seed 415)",
)
def test_a_saga_that_is_cancelled_while_it_is_rewound_settles_and_undoes_the_last_completed_first() -> None:
    with SagaTest(BOTH_UNDONE, HANDLERS, {"one": undo_one, "two": undo_two}) as world:
        world.delay("two", minutes(3))
        saga = world.given(Started(key="k"))
        world.advance(seconds=30)
        saga.rewind(step="two")
        require(saga.state.undo is not None and saga.state.undo.settled_at is None, "the rewind waits for step two")

        saga.cancel()
        world.advance(minutes=1)
        before = saga.compensated
        world.advance(minutes=5)

        saga.then.cancelled()
        assert (before, saga.compensated) == ((), ("two", "one"))


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 11: what comes late to a cancelled saga is undone though its prefix is paused (seed 7149)",
)
def test_an_outcome_that_comes_late_is_undone_when_the_paused_prefix_of_its_saga_is_resumed() -> None:
    with SagaTest(BOTH_UNDONE, HANDLERS, {"one": undo_one, "two": undo_two}) as world:
        world.delay("two", minutes(30))
        saga = world.given(Started(key="k"))
        saga.cancel()
        world.advance(minutes=10)
        saga.then.cancelled()
        world.pause("prefix:k")
        world.advance(minutes=30)
        while_paused = saga.compensated

        world.resume("prefix:k")
        world.advance(minutes=1)

        assert (while_paused, saga.compensated) == (("one",), ("one", "two"))
