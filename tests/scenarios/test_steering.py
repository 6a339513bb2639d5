"""People steer: wide pauses, commands that apply and that do not, and a tracker that is replaced meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import COMPLETED, OnFailure, Retry, Saga, Step
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_COMMANDS, SAGA_CONTROL, SAGA_LIFECYCLE, SAGA_STATE
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import CommandAccepted, CommandRefused, DeadlinePassed
from kafka_saga.testing.kit import SagaTest
from kafka_saga.tracker.core.state import SagaStatus, StepStatus

PARTITIONS = 4


class Begun(Event):
    event_type: ClassVar[str] = "trip.begun"

    name: str


class Booked(Begun):
    event_type: ClassVar[str] = "trip.booked"

    seat: int = 1


class Paid(Begun):
    event_type: ClassVar[str] = "trip.paid"


TRIP = Saga(
    name="trip",
    version=1,
    starts_on=Begun,
    key="{name}",
    run="once",
    steps=(
        Step("book", on=Begun, emits=(Booked,), compensates=True, deadline=minutes(30)),
        Step("pay", on=Booked, emits=(Paid,), retry=Retry(attempts=2), deadline=minutes(30)),
    ),
    ends={Paid: COMPLETED},
    on_failure=OnFailure.INCIDENT,
)


def book(event: Begun, _: Context) -> Booked:
    return Booked(name=event.name)


def pay(event: Booked, _: Context) -> Paid:
    return Paid(name=event.name)


def cancel(event: Booked, _: Context) -> str:
    return f"seat {event.seat} is free again"


@pytest.fixture
def world() -> Iterator[SagaTest]:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as made:
        yield made


def told(world: SagaTest, kind: type[Event]) -> list[Event]:
    records = world.system.records(SAGA_LIFECYCLE)
    mine = [record for record in records if dict(record.headers)["ce_type"] == kind.event_type.encode()]
    return list(world.system.events(kind, mine))


def status(world: SagaTest, saga_id: str) -> SagaStatus:
    return world.system.saga(saga_id).status


def test_a_paused_definition_stands_still_with_all_its_clocks_and_goes_on(world: SagaTest) -> None:
    world.delay("book", minutes(2), times=1)
    running = world.given(Begun(name="ann"))
    world.pause("definition:trip", "freeze")
    later = world.given(Begun(name="bob"))
    world.advance(hours=5)
    assert status(world, running.saga_id) is SagaStatus.RUNNING
    assert told(world, DeadlinePassed) == []
    assert world.system.records("trip.paid") == []
    world.resume("definition:trip")
    world.run()
    assert [status(world, saga.saga_id) for saga in (running, later)] == [SagaStatus.COMPLETED] * 2


def test_a_paused_step_holds_up_only_itself(world: SagaTest) -> None:
    world.pause("step:trip/pay", "the bank asks us to")
    saga = world.given(Begun(name="ann"))
    world.advance(hours=5)
    assert world.system.saga(saga.saga_id).step("book").status is StepStatus.DONE
    assert world.system.saga(saga.saga_id).step("pay").status is StepStatus.QUEUED
    assert told(world, DeadlinePassed) == []
    world.resume("step:trip/pay")
    world.run()
    assert status(world, saga.saga_id) is SagaStatus.COMPLETED


def test_a_paused_prefix_pauses_those_that_match_later_ones_included(world: SagaTest) -> None:
    world.pause("prefix:acme-", "audit")
    held, free = world.given(Begun(name="acme-1")), world.given(Begun(name="other"))
    world.advance(hours=2)
    assert (status(world, held.saga_id), status(world, free.saga_id)) == (SagaStatus.PAUSED, SagaStatus.COMPLETED)
    world.resume("prefix:acme-")
    world.advance(seconds=1)
    assert status(world, held.saga_id) is SagaStatus.COMPLETED


def test_a_wide_command_that_cannot_apply_is_refused_and_says_why(world: SagaTest) -> None:
    world.resume("step:trip/pay")
    world.pause("step:trip/nobody")
    world.pause("definition:unheard")
    world.pause("prefix: ")
    whys = {one.why for one in told(world, CommandRefused) if isinstance(one, CommandRefused)}
    assert whys == {
        "step:trip/pay is not paused",
        "trip has no step 'nobody'; its steps are book, pay",
        "the tracker knows no definition 'unheard', only trip",
        "the scope 'prefix: ' is empty: give some text",
    }


def test_an_incident_is_solved_by_skipping_the_step_with_an_outcome(world: SagaTest) -> None:
    world.fail("pay", TerminalError("card lost"), times=1)
    saga = world.given(Begun(name="ann"))
    world.advance(seconds=5)
    (incident,) = world.system.saga(saga.saga_id).incidents
    assert (incident.kind, incident.step) == ("step_failed", "pay")
    world.command(Act.SKIP, saga.saga_id, step="pay", outcome="trip.paid", content='{"nome": "ann"}')
    assert "name: Field required" in str(told(world, CommandRefused)[-1])
    world.command(Act.SKIP, saga.saga_id, step="pay", outcome="trip.paid", content='{"name": "ann"}')
    world.advance(seconds=5)
    state = world.system.saga(saga.saga_id)
    assert (state.status, state.incidents, state.epoch) == (SagaStatus.COMPLETED, (), 1)
    assert told(world, CommandAccepted)


def test_an_incident_is_solved_by_redriving_the_failed_step(world: SagaTest) -> None:
    world.fail("pay", RetryableError("bank down"), times=2)
    saga = world.given(Begun(name="ann"))
    world.advance(minutes=1)
    assert world.system.saga(saga.saga_id).incidents
    world.command(Act.REDRIVE, saga.saga_id)
    world.advance(seconds=5)
    assert status(world, saga.saga_id) is SagaStatus.COMPLETED
    assert [step.attempt for step in world.system.saga(saga.saga_id).steps] == [1, 1]


def test_a_cancelled_saga_is_undone_although_failures_ask_a_person(world: SagaTest) -> None:
    world.fail("pay", TerminalError("card lost"), times=1)
    saga = world.given(Begun(name="ann"))
    world.advance(seconds=5)
    world.command(Act.CANCEL, saga.saga_id, "the customer rang")
    world.advance(seconds=5)
    state = world.system.saga(saga.saga_id)
    assert (state.status, state.error, state.incidents) == (
        SagaStatus.CANCELLED, "cancelled by test: the customer rang", (),
    )  # fmt: skip
    assert world.compensated == ("book",)


def test_a_command_in_the_wrong_partition_is_a_dead_letter_that_says_where_it_belongs(world: SagaTest) -> None:
    saga = world.given(Begun(name="ann"))
    command = SagaCommand(command=Act.PAUSE, scope=f"saga:{saga.saga_id}", author="ann")
    right = partition_of(b"ann", PARTITIONS)
    publish(world, Outgoing(SAGA_COMMANDS, (right + 1) % PARTITIONS, b"ann", command.model_dump_json().encode(), []))
    (letter,) = world.system.records(DEAD_LETTERS)
    assert f"the saga's is {right}" in dict(letter.headers)["dlq_reason"].decode()


def test_a_tracker_that_takes_over_keeps_retries_deadlines_and_pauses(world: SagaTest) -> None:
    world.fail("pay", RetryableError("429", retry_after=120), times=1)
    saga = world.given(Begun(name="ann"))
    world.advance(seconds=10)
    assert world.system.saga(saga.saga_id).step("pay").status is StepStatus.RETRYING
    world.kill("tracker")
    world.start_tracker()
    world.advance(seconds=60)
    assert world.system.saga(saga.saga_id).step("pay").status is StepStatus.RETRYING
    world.advance(seconds=120)
    assert status(world, saga.saga_id) is SagaStatus.COMPLETED


def test_a_saga_that_ended_long_ago_is_forgotten_with_what_services_knew_of_it(world: SagaTest) -> None:
    saga = world.given(Begun(name="ann"))
    world.command(Act.REWIND, saga.saga_id, step="pay")
    world.advance(seconds=5)
    assert status(world, saga.saga_id) is SagaStatus.COMPLETED
    world.advance(days=8)
    for topic in (SAGA_STATE, SAGA_CONTROL):
        last = {record.key: record.value for record in world.system.records(topic)}
        assert set(last.values()) == {None}


def test_what_is_known_of_a_wide_pause_is_forgotten_when_it_has_been_over_for_long(world: SagaTest) -> None:
    scopes = ("prefix:acme-", "step:trip/pay", "definition:trip")
    for scope in scopes:
        world.pause(scope, "audit")
        world.resume(scope)
    assert set(held(world)) == {scope.encode() for scope in scopes}
    world.kill("tracker")
    world.start_tracker()
    world.advance(days=2)
    assert set(held(world)) == {b"step:trip/pay", b"definition:trip"}
    world.advance(days=29)
    assert held(world) == {}
    world.pause("definition:trip", "again")
    world.advance(days=40)
    assert set(held(world)) == {b"definition:trip"}


def held(world: SagaTest) -> dict[bytes | None, bytes]:
    """What is known of wide scopes, in any partition."""
    last = {(record.partition, record.key): record.value for record in world.system.records(SAGA_CONTROL)}
    return {key: value for (_, key), value in last.items() if value is not None}


def publish(world: SagaTest, record: Outgoing) -> None:
    producer = world.system.cluster.producer("by-hand")
    producer.transact([record], {}, None)
    world.run()
