"""A tracker that does not know a saga's version follows it blindly; one that does makes up for it, before or after."""

from __future__ import annotations

from dataclasses import replace

from kafka_saga.definition.durations import days, hours, minutes
from kafka_saga.definition.model import OnFailure, Saga, Step
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.worker.service import Service
from tests.scenarios.conftest import Worlds
from tests.scenarios.test_steering import TRIP, Booked, Paid, book, cancel, pay

FIRST = replace(TRIP, on_failure=OnFailure.COMPENSATE)
RENAMED = replace(FIRST, version=2, steps=(FIRST.steps[0], Step("charge", on=Booked, emits=(Paid,))))
HURRIED = replace(FIRST, version=2, deadline=hours(1))
A_MINUTE = minutes(1).total_seconds()
SAGA = "ann@once"


def booking(worlds: Worlds, saga: Saga, *known: Saga) -> System:
    """A saga of this version has booked and waits for its second step; the tracker knows these versions."""
    world = worlds((FIRST, saga))
    world.start(Service("book", {saga: {"book": book}}, compensations={saga: {"book": cancel}}))
    world.start_tracker("first", definitions=known)
    world.publish("trip.begun", {"name": "ann"})
    world.settle()
    return world


def pays(world: System, saga: Saga) -> None:
    """The service of the second step comes, and does what waits for it."""
    step = saga.steps[1].name
    world.start(Service(step, {saga: {step: pay}}))
    world.settle()
    assert len(world.records("trip.paid")) == 1


def replace_tracker(world: System, before: str, now: str, *known: Saga) -> None:
    world.stop(f"tracker/{before}")
    world.start_tracker(now, definitions=known)
    world.settle()


def rolled_back(worlds: Worlds) -> System:
    """The saga's end is read by an older tracker, between two that know its version."""
    world = booking(worlds, HURRIED, FIRST, HURRIED)
    replace_tracker(world, "first", "older", FIRST)
    pays(world, HURRIED)
    replace_tracker(world, "older", "newer", FIRST, HURRIED)
    return world


def test_a_saga_whose_renamed_step_ran_while_no_tracker_did_completes_with_one_that_knows_it(worlds: Worlds) -> None:
    world = booking(worlds, RENAMED, FIRST)
    world.stop("tracker/first")
    pays(world, RENAMED)
    world.start_tracker("newer", definitions=(FIRST, RENAMED))
    world.advance(A_MINUTE)
    assert world.saga(SAGA).status is SagaStatus.COMPLETED


def test_a_saga_that_ended_before_its_version_was_known_is_told_to_be_completed(worlds: Worlds) -> None:
    world = booking(worlds, RENAMED, FIRST)
    pays(world, RENAMED)
    before = world.saga(SAGA)
    replace_tracker(world, "first", "newer", FIRST, RENAMED)
    world.advance(A_MINUTE)
    after = world.saga(SAGA)
    assert (before.status, after.status) == (SagaStatus.RUNNING, SagaStatus.COMPLETED)
    assert after.revision > before.revision
    told = [dict(record.headers)["ce_type"] for record in world.records(SAGA_LIFECYCLE)]
    assert told.count(b"saga.completed") == 1


def test_what_an_older_tracker_has_read_is_concluded_when_a_newer_one_is_back(worlds: Worlds) -> None:
    world = rolled_back(worlds)
    world.advance(2 * A_MINUTE)
    assert world.saga(SAGA).status is SagaStatus.COMPLETED


def test_nothing_is_undone_of_what_completed_while_an_older_tracker_read(worlds: Worlds) -> None:
    world = rolled_back(worlds)
    world.advance(days(8).total_seconds())
    assert world.records("book.compensated") == []
