"""What happens while somebody is away: a tracker that comes back reads before it judges, a service's queue waits."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from kafka_saga.definition.durations import days, minutes, seconds
from kafka_saga.definition.model import COMPLETED, OnFailure, Saga, Step
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import DeadlinePassed, RetryScheduled, SagaCompleted
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.system import System
from kafka_saga.worker.service import Service
from tests.scenarios.conftest import Worlds

HOUR = 3_600


class Asked(Event):
    event_type: ClassVar[str] = "question.asked"

    name: str


class Read(Asked):
    event_type: ClassVar[str] = "question.read"


class Answered(Asked):
    event_type: ClassVar[str] = "question.answered"


def answers(*, in_time: bool) -> Saga:
    """Two steps, the first of which can be undone; with a deadline for the second, if the answer is to be in time."""
    return Saga(
        name="answers",
        version=1,
        starts_on=Asked,
        key="{name}",
        run="once",
        steps=(
            Step("read", on=Asked, emits=(Read,), compensates=True),
            Step("answer", on=Read, emits=(Answered,), timeout=minutes(5), deadline=minutes(10) if in_time else None),
        ),
        ends={Answered: COMPLETED},
        deadline=days(7),
        settle_timeout=minutes(1),
        on_failure=OnFailure.COMPENSATE,
    )


def read(event: Asked, _: Context) -> Read:
    return Read(name=event.name)


def answer(event: Read, _: Context) -> Answered:
    return Answered(name=event.name)


def undo(event: Read, _: Context) -> None:
    return None


def services(saga: Saga) -> tuple[Service, Service]:
    return (
        Service("reader", {saga: {"read": read}}, compensations={saga: {"read": undo}}),
        Service("answerer", {saga: {"answer": answer}}),
    )


def said(system: System, *kinds: type[Event]) -> Counter[str]:
    wanted = {kind.event_type for kind in kinds}
    types = (dict(record.headers)["ce_type"].decode() for record in system.records(SAGA_LIFECYCLE))
    return Counter(kind for kind in types if kind in wanted)


def test_a_tracker_that_was_away_lets_no_deadline_fire_that_was_kept_meanwhile(worlds: Worlds) -> None:
    saga = answers(in_time=True)
    system = worlds([saga])
    reader, answerer = services(saga)
    system.start(reader)
    system.start_tracker()
    for number in range(1_000):
        system.publish(Asked.event_type, {"name": f"q{number}"})
    system.settle()
    system.stop("tracker/1")
    system.advance(5 * 60)
    system.start(answerer)
    system.advance(HOUR)
    system.start_tracker("2")
    system.settle()
    assert said(system, DeadlinePassed, SagaCompleted) == {SagaCompleted.event_type: 1_000}


def test_sagas_queue_for_a_service_that_is_down_and_nothing_storms_or_times_out(worlds: Worlds) -> None:
    saga = answers(in_time=False)
    system = worlds([saga])
    reader, answerer = services(saga)
    system.start(reader)
    system.start_tracker()
    for number in range(10_000):
        system.publish(Asked.event_type, {"name": f"q{number}"})
    system.settle()
    before = sum(len(system.records(topic)) for topic in ("read.work", "answer.work"))
    system.advance(HOUR)
    assert sum(len(system.records(topic)) for topic in ("read.work", "answer.work")) == before == 0
    system.start(answerer)
    system.settle()
    assert said(system, DeadlinePassed, RetryScheduled, SagaCompleted) == {SagaCompleted.event_type: 10_000}


def test_what_ends_after_its_deadline_is_undone_once() -> None:
    saga = answers(in_time=True)
    step = saga.steps[0]
    slow = Saga(**{**vars(saga), "steps": (step_with_deadline(step), saga.steps[1])})
    with SagaTest(slow, {"read": read, "answer": answer}, {"read": undo}) as world:
        world.delay("read", seconds(40), times=1)
        world.fail("read", RetryableError("not now"), times=1)
        run = world.given(Asked(name="late"))
        world.advance(seconds=40.5)
        world.delay("read", seconds(50), times=1)
        world.advance(seconds=24)
        assert world.system.saga(run.saga_id).status == "compensating"
        world.advance(minutes=10)
        assert world.system.saga(run.saga_id).status == "failed"
        assert world.compensated == ("read",)


def step_with_deadline(step: Step) -> Step:
    """The same, to be done within a minute, and allowed to take longer."""
    return Step(step.name, on=step.on, emits=step.emits, timeout=minutes(1), deadline=minutes(1), compensates=True)
