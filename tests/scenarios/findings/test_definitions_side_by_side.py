"""Several definitions on one log: a tracker that learns of one later, and two whose sagas have the same id."""

from __future__ import annotations

import pytest

from kafka_saga.definition.model import Saga
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError
from kafka_saga.events.commands import Act
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from tests.scenarios.conftest import Worlds
from tests.scenarios.findings.given import (
    OTHER,
    SAGA,
    OtherDone,
    OtherStarted,
    one,
    only,
    service,
    two,
)

BUSY = "busy"


class Failing:
    """A handler of the other definition that fails the first time."""

    def __init__(self) -> None:
        self._attempts = 0

    def __call__(self, event: OtherStarted, context: Context) -> OtherDone:
        self._attempts += 1
        if self._attempts == 1:
            raise RetryableError(BUSY)
        return only(event, context)


def side_by_side(worlds: Worlds, *tracked: Saga) -> System:
    """Both definitions at work, the step of the other one failing at first; the tracker follows these."""
    world = worlds((SAGA, OTHER))
    world.start(service("one", SAGA, one))
    world.start(service("two", SAGA, two))
    world.start(service("only", OTHER, Failing()))
    world.start_tracker("first", definitions=tracked)
    world.settle()
    return world


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 8: a failure from before the tracker knew of the definition is never tried again (seed 9)",
)
def test_a_failure_from_before_the_tracker_knew_of_the_definition_is_tried_again(worlds: Worlds) -> None:
    world = side_by_side(worlds, SAGA)
    world.publish("u.started", {"key": "k"})
    world.advance(60)
    world.stop("tracker/first")

    world.start_tracker("second", definitions=(SAGA, OTHER))
    world.advance(24 * 3600)

    assert len(world.events(OtherDone)) == 1
    assert world.saga("k@1").status is SagaStatus.COMPLETED


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 9: a failed attempt of a saga with the id of another definition's is never tried again (seed 9)",
)
def test_a_failed_attempt_is_tried_again_although_another_definition_has_a_saga_of_that_id(worlds: Worlds) -> None:
    world = side_by_side(worlds, SAGA, OTHER)
    world.publish("t.started", {"key": "o1"})
    world.settle()
    world.publish("u.started", {"key": "o1"})

    world.advance(3600)

    assert len(world.events(OtherDone)) == 1


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 9: a saga's pause parks another definition's of that id, which is never asked again (seed 9)",
)
def test_a_saga_runs_to_its_end_although_one_of_another_definition_with_its_id_was_paused(worlds: Worlds) -> None:
    world = worlds((SAGA, OTHER))
    world.start(service("one", SAGA, one))
    world.start(service("only", OTHER, only))
    world.start_tracker()
    world.publish("t.started", {"key": "o1"})
    world.settle()
    give(world.cluster, "wait", about(Act.PAUSE, "o1@1", "look into it"))
    world.settle()
    world.publish("u.started", {"key": "o1"})
    world.advance(60)

    give(world.cluster, "go on", about(Act.RESUME, "o1@1", ""))
    world.advance(3600)

    assert len(world.events(OtherDone)) == 1
