"""A start that comes again: of a saga that is over or forgotten, with another content, in another version."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import ClassVar

import pytest

from kafka_saga.definition.durations import hours, minutes
from kafka_saga.definition.model import COMPLETED, OnConflict, OnFailure, Step
from kafka_saga.definition.topics import SAGA_STEPS, intake_topic
from kafka_saga.events.lifecycle import SagaCancelled
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus
from tests.scenarios.findings.given import (
    SAGA,
    B,
    Named,
    SlowToReturn,
    Started,
    about,
    one,
    require,
    service,
    told,
    two,
    world_of,
    write_event,
)

EXCLUSIVE = replace(SAGA, on_conflict=OnConflict.SUPERSEDE)
BRIEF = replace(
    SAGA,
    steps=tuple(replace(step, timeout=minutes(5)) for step in SAGA.steps),
    deadline=hours(1),
    on_failure=OnFailure.COMPENSATE,
)
RETENTION = 31
"""Days after which no event of a saga is on the log any more."""


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 4: a start of a forgotten saga counts as its key's latest, and cancels the running one (seed 36)",
)
def test_a_start_of_a_saga_that_is_forgotten_supersedes_no_other() -> None:
    with world_of(EXCLUSIVE) as world:
        first = world.given(Started(key="k", run="1"))
        require(first.status is SagaStatus.COMPLETED, "the first saga has completed")
        world.advance(days=8)
        world.delay("two", hours(1), of="k@2")
        later = world.given(Started(key="k", run="2"))

        world.given(Started(key="k", run="1"))
        world.advance(hours=2)

        assert not [event for event in told(world.system, "k@2") if isinstance(event, SagaCancelled)]
        later.then.completed().compensated()


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 5: a start with another id takes a completed saga up again; it fails at its deadline (seed 20)",
)
def test_a_start_of_a_completed_saga_under_another_id_changes_nothing() -> None:
    with world_of(BRIEF) as world:
        write_event(world.system, Started(key="k"), Named("k@1", id="first"))
        world.advance(minutes=1)
        require(world.system.saga("k@1").status is SagaStatus.COMPLETED, "the saga has completed")

        write_event(world.system, Started(key="k"), Named("k@1", id="second"))
        world.advance(hours=2)

        assert world.system.saga("k@1").status is SagaStatus.COMPLETED
        assert world.compensated == ()


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 14: the marks of sagas that have started stay in the intake's store for ever, one for each saga",
)
def test_marks_of_starts_go_when_the_events_of_their_sagas_have_gone() -> None:
    with world_of(SAGA) as world:
        for number in range(3):
            world.given(Started(key=f"k{number}"))
        world.advance(days=RETENTION)
        world.given(Started(key="new"))
        world.advance(days=1)

        last = {record.key: record.value for record in world.system.records(intake_topic(SAGA))}
        assert {key for key, value in last.items() if value is not None} == {b"new@1"}


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 19: a start of a known saga with another content is told of in the words of a mere repetition",
)
def test_a_start_with_another_content_is_told_from_one_that_is_the_same_again() -> None:
    with world_of(SAGA) as world:
        repeated = world.given(Started(key="repeated", note="blue"))
        world.given(Started(key="repeated", note="blue"))
        changed = world.given(Started(key="changed", note="blue"))
        world.given(Started(key="changed", note="green"))
        world.advance(minutes=1)

        said_of_repeated = {one.why for one in repeated.state.unmatched}
        said_of_changed = {one.why for one in changed.state.unmatched}
        require(bool(said_of_repeated), "a start that is the same again is told of")
        assert said_of_changed - said_of_repeated


class C(Started):
    event_type: ClassVar[str] = "t.c"


LONGER = replace(SAGA, version=2, steps=(*SAGA.steps, Step("three", on=B, emits=(C,))), ends={C: COMPLETED})
"""Version 2, which goes on where version 1 has ended."""


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a saga takes the version of a repeated start, if the tracker reads the report on that first (seed 65)",
)
def test_a_saga_keeps_the_version_that_it_started_with_though_its_start_comes_again_by_a_later_one() -> None:
    with closing(System((SAGA, LONGER))) as world:
        world.start(service("one", SAGA, one), "old")
        world.start(service("two", SAGA, two))
        world.publish("t.started", {"key": "k"})
        world.settle()
        require(len(about(world.records("t.b"), "k@1")) == 1, "the saga has run in version 1")
        world.stop("one/old")
        world.start(service("one", LONGER, one), "new")
        world.publish("t.started", {"key": "k"})
        world.advance(1)
        require(len(about(world.records(SAGA_STEPS), "k@1")) == 1, "the start has come again, in version 2")

        slow = world.cluster.portion = SlowToReturn("t.started")
        world.start_tracker()
        for _ in range(10):
            world.turn("tracker/1")
        slow.topic = None
        world.advance(60)

        assert (world.saga("k@1").version, world.saga("k@1").status) == (SAGA.version, SagaStatus.COMPLETED)
