"""A saga that forks: step `two` ends it, steps `three` and `four` are its other branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kafka_saga.definition.durations import hours
from kafka_saga.definition.model import COMPLETED, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.testing.kit import SagaTest
from kafka_saga.worker.service import Handler
from tests.scenarios.findings.given import Started


class Split(Started):
    event_type: ClassVar[str] = "t.split"


class Left(Started):
    event_type: ClassVar[str] = "t.left"


class Right(Started):
    event_type: ClassVar[str] = "t.right"


class End(Started):
    event_type: ClassVar[str] = "t.end"


FORK = Saga(
    name="t",
    version=1,
    starts_on=Started,
    key="{key}",
    run="{run}",
    steps=(
        Step("one", on=Started, emits=(Split,)),
        Step("two", on=Split, emits=(Left,), timeout=hours(3)),
        Step("three", on=Split, emits=(Right,), timeout=hours(3)),
        Step("four", on=Right, emits=(End,), timeout=hours(3)),
    ),
    ends={Left: COMPLETED, End: COMPLETED},
)


def split(event: Started, _: Context) -> Split:
    return Split(key=event.key, run=event.run)


def left(event: Split, _: Context) -> Left:
    return Left(key=event.key, run=event.run)


def right(event: Split, _: Context) -> Right:
    return Right(key=event.key, run=event.run)


def end(event: Right, _: Context) -> End:
    return End(key=event.key, run=event.run)


HANDLERS: Mapping[str, Handler] = {"one": split, "two": left, "three": right, "four": end}


def world_of(saga: Saga) -> SagaTest:
    """The kit with the services of all steps and the tracker."""
    return SagaTest(saga, HANDLERS)
