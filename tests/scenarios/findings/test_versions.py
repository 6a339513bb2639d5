"""Versions side by side: of an event's class, and of a definition in which a step got another trigger."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import ClassVar

import pytest

from kafka_saga.definition.model import Step
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.script import Script, ScriptRule
from kafka_saga.testing.system import PARTITIONS, System
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.worker.service import Service
from tests.scenarios.conftest import Worlds
from tests.scenarios.findings.given import SAGA, A, B, Started, about, home, one, require, service, two


class StarredA(Started):
    """The event `t.a` as its next version has it: with one more field, which has a default."""

    event_type: ClassVar[str] = "t.a"

    stars: int = 3


STARRED = replace(
    SAGA,
    steps=(replace(SAGA.steps[0], emits=(StarredA,)), replace(SAGA.steps[1], on=StarredA)),
)


def one_starred(event: Started, _: Context) -> StarredA:
    return StarredA(key=event.key, run=event.run, stars=5)


def two_starred(event: StarredA, _: Context) -> B:
    return B(key=event.key, run=event.run, note=f"{event.stars} stars")


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 20: a service with the older class of an event takes what the newer one writes for undecodable",
)
def test_an_older_reader_reads_an_event_whose_writer_knows_one_field_more(worlds: Worlds) -> None:
    world = worlds((SAGA,))
    world.start(service("one", STARRED, one_starred))
    world.start(service("two", SAGA, two))
    world.start_tracker()
    world.publish("t.started", {"key": "k"})
    world.advance(60)

    assert world.records(DEAD_LETTERS) == []
    assert [event.key for event in world.events(B)] == ["k"]


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 20: a service with the newer class of an event takes what the older one writes for undecodable",
)
def test_a_newer_reader_fills_in_the_default_of_a_field_that_its_writer_does_not_know(worlds: Worlds) -> None:
    world = worlds((SAGA,))
    world.start(service("one", SAGA, one))
    world.start(service("two", STARRED, two_starred))
    world.start_tracker()
    world.publish("t.started", {"key": "k"})
    world.advance(60)

    assert world.records(DEAD_LETTERS) == []
    assert [event.note for event in world.events(B)] == ["3 stars"]


class M(Started):
    event_type: ClassVar[str] = "t.m"


REROUTED = replace(
    SAGA,
    version=2,
    steps=(SAGA.steps[0], Step("between", on=A, emits=(M,)), replace(SAGA.steps[1], on=M)),
)
"""Version 2, in which step `two` has another trigger."""

OLD, NEW = tuple(f"old{number}@1" for number in range(16)), tuple(f"new{number}@1" for number in range(16))
"""Sagas of both versions, in every partition; step `two` of each fails once, so that commands travel."""


def between(event: A, _: Context) -> M:
    return M(key=event.key, run=event.run)


def rerouted(name: str) -> System:
    """Both versions of step `two` at work, the new one's service under this name, and sagas of both under way."""
    busy = Interference(error=RetryableError("busy"))
    world = System(
        (SAGA, REROUTED), interfere=Script([ScriptRule("two", busy, 1, saga_id) for saga_id in (*OLD, *NEW)])
    )
    require({home(world, saga_id) for saga_id in OLD} == set(range(PARTITIONS)), "old ones are in every partition")
    require({home(world, saga_id) for saga_id in NEW} == set(range(PARTITIONS)), "new ones are in every partition")
    world.start(service("one", SAGA, one), "old")
    world.start(service("two", SAGA, two), "old")
    world.start_tracker()
    world.settle()
    start(world, OLD)
    world.start(service("between", REROUTED, between))
    world.start(Service(name, {REROUTED: {"two": two}}), "new")
    world.start(service("one", REROUTED, one), "new")
    world.settle()
    world.stop("one/old")
    world.settle()
    start(world, NEW)
    world.advance(600)
    return world


def start(world: System, saga_ids: Iterable[str]) -> None:
    for saga_id in saga_ids:
        world.publish("t.started", {"key": saga_id.removesuffix("@1")})
    world.settle()


def check_all_completed(world: System) -> None:
    """Every saga has gone the way of its version, once."""
    sagas = (*OLD, *NEW)
    assert {saga_id: world.saga(saga_id).status for saga_id in sagas} == dict.fromkeys(sagas, SagaStatus.COMPLETED)
    assert [len(about(world.records("t.b"), saga_id)) for saga_id in sagas] == [1] * len(sagas)
    assert world.records(DEAD_LETTERS) == []


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 22: a command of one version that comes to the other one's instance fails its saga or is lost",
)
def test_both_versions_of_a_step_with_another_trigger_work_in_one_service() -> None:
    with closing(rerouted("two")) as world:
        check_all_completed(world)


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 22: each of the two services takes the commands of the other's version for undecodable",
)
def test_both_versions_of_a_step_with_another_trigger_work_in_two_services() -> None:
    with closing(rerouted("two-next")) as world:
        check_all_completed(world)
