"""Log times come from several brokers, and partitions are returned in no order: sagas are ruled about all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.definition.durations import hours
from kafka_saga.definition.model import OnFailure
from kafka_saga.errors import RetryableError
from kafka_saga.events.lifecycle import DeadlinePassed
from kafka_saga.testing import process
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.process import SkewedClock
from kafka_saga.testing.run import SagaRun
from kafka_saga.tracker.core.state import SagaStatus
from tests.scenarios.findings.given import SAGA, SlowToReturn, Started, home, require, told, world_of

BACK = -300
"""Milliseconds by which the log times of one partition are set back."""

APART = -200
"""Milliseconds between the clocks of two brokers."""

A_DAY = 24
"""Hours until a step's deadline, in which a process's clock that is 50 ppm fast gets 4.3 s ahead."""

UNDOING = replace(
    SAGA,
    steps=(SAGA.steps[0], replace(SAGA.steps[1], timeout=hours(A_DAY), deadline=hours(A_DAY))),
    on_failure=OnFailure.COMPENSATE,
)


class Fast(SkewedClock):
    """A process's clock whose seconds are too short."""

    def monotonic(self) -> float:
        return super().monotonic() * 1.000_05


def given_a_ruling_just_before(world: SagaTest, key: str) -> None:
    """Another saga of this key has been ruled about: everything of log time up to now has been read."""
    world.fail("two", RetryableError("busy"), times=1)
    other = world.given(Started(key=key, run="before"))
    world.system.advance_until_rest(5)
    require(other.status is SagaStatus.COMPLETED, "the other saga has been ruled about")


def given_a_saga_whose_effects_are_read_before_their_cause(world: SagaTest, key: str) -> SagaRun:
    """The tracker is given `t.b` while it still waits for `t.a`, as from a broker that answers later."""
    system = world.system
    slow = system.cluster.portion = SlowToReturn()
    system.publish("t.started", {"key": key})
    for _ in range(10):
        for name in [name for name in system.processes if not name.startswith("tracker")]:
            system.turn(name)
        system.clock.advance(0.001)
    slow.topic = "t.a"
    for name in [name for name in system.processes if name.startswith("tracker")]:
        for _ in range(5):
            system.turn(name)
    slow.topic = None
    return SagaRun(world, SAGA, f"{key}@1")


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 3: an outcome with a log time that was ruled past is set aside before its cause is read (seed 3)",
)
def test_a_saga_completes_although_the_log_time_of_one_partition_is_set_back() -> None:
    with world_of(SAGA) as world:
        number = home(world.system, "k@1")
        world.system.cluster.clock_offsets = lambda topic, at: BACK if (topic, at) == ("t.b", number) else 0
        given_a_ruling_just_before(world, "k")

        saga = given_a_saga_whose_effects_are_read_before_their_cause(world, "k")
        world.advance(minutes=1)

        saga.then.completed()


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 3: where brokers' clocks differ, outcomes seem to have no cause: the saga runs for ever (seed 3)",
)
def test_a_saga_completes_although_the_clocks_of_two_brokers_are_apart() -> None:
    with world_of(SAGA) as world:
        world.system.cluster.clock_offsets = lambda topic, _: APART if topic == "t.b" else 0
        given_a_ruling_just_before(world, "k")

        saga = given_a_saga_whose_effects_are_read_before_their_cause(world, "k")
        world.advance(minutes=1)

        saga.then.completed()


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 3: a tracker with a fast clock never goes back to the broker's time, and rules early (seed 3)",
)
def test_a_deadline_does_not_fire_early_because_the_clock_of_the_tracker_is_fast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "SkewedClock", Fast)
    with world_of(UNDOING) as world:
        world.stop("two")
        saga = world.given(Started(key="k"))
        for _ in range(A_DAY - 1):
            world.advance(hours=1)
        world.advance(hours=1, seconds=-3)
        world.start("two")
        world.advance(minutes=10)

        assert not [event for event in told(world.system, saga.saga_id) if isinstance(event, DeadlinePassed)]
        saga.then.completed()
