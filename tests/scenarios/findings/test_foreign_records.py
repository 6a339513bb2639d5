"""Records that other programs write: in the wrong partition, of steps that have ended, with odd names or numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kafka_saga.broker.records import Headers, Outgoing
from kafka_saga.definition.model import OnFailure
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STATE, SAGA_STEPS
from kafka_saga.events.commands import Act
from kafka_saga.events.reports import StepFailed, StepProgress
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.run import SagaRun
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.wire.control import of_saga
from kafka_saga.wire.ids import key_of
from tests.scenarios.findings.given import (
    SAGA,
    A,
    B,
    Named,
    Started,
    about,
    control_of,
    header,
    headers_of,
    home,
    require,
    world_of,
    write,
    write_event,
)

PARTITIONS = 4
HUGE = b"999999999999999"
"""Milliseconds: some 31,700 years."""


@pytest.fixture
def world() -> Iterator[SagaTest]:
    """The step `one` is another program's."""
    with world_of(SAGA) as made:
        made.stop("one")
        yield made


def started(world: SagaTest, key: str) -> Named:
    """A saga of this key has started; how the outcome of its first step is to be named."""
    write_event(world.system, Started(key=key), Named(f"{key}@1", id="start"))
    world.run()
    require(world.system.saga(f"{key}@1").status is SagaStatus.RUNNING, "the saga has started")
    return Named(f"{key}@1", id="outcome", cause="start", step="one")


def misplaced(world: SagaTest, key: str) -> None:
    """The other program writes the outcome of its step to the wrong partition."""
    outcome = started(world, key)
    wrong = (home(world.system, f"{key}@1") + 1) % PARTITIONS
    write_event(world.system, A(key=key), outcome, partition=wrong)
    world.advance(minutes=1)
    require(len(world.system.records(DEAD_LETTERS)) == 1, "the record is a dead letter")


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 13: an event in the wrong partition is a dead letter without a report: its saga hangs (seed 5)",
)
def test_an_event_in_the_wrong_partition_is_reported_so_that_its_saga_does_not_hang(world: SagaTest) -> None:
    misplaced(world, "k")

    reports = about(world.system.records(SAGA_STEPS), "k@1")
    failed = [one for one in reports if header(one, "ce_type") == StepFailed.event_type]
    assert [header(one, "ce_code") for one in failed] == ["undecodable"]


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 13: the tracker of the wrong partition keeps a second state under the saga's id (seed 5)",
)
def test_an_event_in_the_wrong_partition_makes_no_second_state_of_its_saga(world: SagaTest) -> None:
    misplaced(world, "k")

    states = [record for record in world.system.records(SAGA_STATE) if record.key == b"k@1"]
    assert {record.partition for record in states} == {home(world.system, "k@1")}


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a second outcome of a step of a completed saga has the saga undone and failed (seed 101)",
)
def test_a_completed_saga_stays_completed_whatever_outcome_comes_of_a_step_that_has_ended() -> None:
    with world_of(replace(SAGA, on_failure=OnFailure.COMPENSATE)) as world:
        saga = world.given(Started(key="k"))
        require(saga.status is SagaStatus.COMPLETED, "the saga has completed")

        (first,) = world.system.records(A.event_type)
        headers = [(name, b"second" if name == "ce_id" else value) for name, value in first.headers]
        write(world.system, Outgoing(first.topic, first.partition, first.key, b"not an event", headers))
        world.advance(minutes=1)

        saga.then.completed().compensated()
        assert A.event_type in {one.type for one in saga.state.unmatched}


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 15: a saga's id that begins with NUL is taken for a scope, whose entry goes when the saga is due",
)
def test_a_record_whose_subject_begins_with_nul_takes_no_control_entry_away(world: SagaTest) -> None:
    started(world, "k")
    world.command(Act.PAUSE, "k@1")
    require(control_of(world.system, of_saga("k@1")) is not None, "the saga is paused")

    stray = Named("\0saga:k@1", id="stray", cause="nowhere", step="two")
    write_event(world.system, B(key="\0saga:k"), stray, partition=home(world.system, "k@1"))
    world.advance(minutes=1)

    assert control_of(world.system, of_saga("k@1")) is not None


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 15: a record whose key begins with NUL is worked on, though no start may give such a key",
)
def test_a_record_whose_key_begins_with_nul_is_a_dead_letter(world: SagaTest) -> None:
    write_event(world.system, A(key="\0saga:k"), Named("\0saga:k@1", id="stray", cause="nowhere", step="one"))
    world.advance(minutes=1)

    assert [letter.key for letter in world.system.records(DEAD_LETTERS)] == [b"\0saga:k"]
    assert world.system.events(B) == []


@pytest.mark.xfail(
    strict=True,
    raises=ValueError,
    reason="finding 15: why a saga waits cannot be said if its next attempt is due after the year 9999",
)
def test_a_wait_of_ages_before_the_next_attempt_can_be_told_of(world: SagaTest) -> None:
    report = started(world, "k")._replace(id="report")
    more = [("ce_code", b"retryable"), ("ce_retryable", b"true"), ("ce_retryafterms", HUGE)]
    write_report(world, StepFailed.event_type, report, more)
    world.advance(minutes=1)

    assert SagaRun(world, SAGA, "k@1").why


@pytest.mark.xfail(
    strict=True,
    raises=ValueError,
    reason="finding 15: what a step is doing cannot be said if it reports that it has run since after the year 9999",
)
def test_progress_since_a_time_that_cannot_be_can_be_told_of(world: SagaTest) -> None:
    report = started(world, "k")._replace(id="report")
    write_report(world, StepProgress.event_type, report, [("ce_startedat", HUGE)])
    world.advance(minutes=1)

    assert SagaRun(world, SAGA, "k@1").why


def write_report(world: SagaTest, kind: str, named: Named, more: Headers) -> None:
    """The other program reports on its step."""
    number, key = home(world.system, named.saga_id), key_of(named.saga_id).encode()
    write(world.system, Outgoing(SAGA_STEPS, number, key, b"", [*headers_of(kind, named), *more]))
