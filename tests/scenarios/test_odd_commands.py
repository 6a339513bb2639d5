"""Commands that come again, that are none, or that are about what is forgotten: the tracker rules on all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.model import COMPLETED, OnFailure, Saga, Step
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_COMMANDS, SAGA_CONTROL, SAGA_LIFECYCLE
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import CommandRefused
from kafka_saga.inspection.commands.sending import answer_of
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.run import RefusedError, SagaRun
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.wire.control import DEFINITION, decode
from tests.scenarios.test_steering import PARTITIONS, TRIP, Begun, book, cancel, pay

MANY = 600
"""More dead letters than a service bears before it stands still."""

LAPS = 120
"""So many that the start of a saga is forgotten."""


class Looked(Begun):
    event_type: ClassVar[str] = "watch.looked"

    lap: int = 0


class Waited(Looked):
    event_type: ClassVar[str] = "watch.waited"


class Seen(Begun):
    event_type: ClassVar[str] = "watch.seen"


class Opened(Begun):
    event_type: ClassVar[str] = "watch.opened"


WATCH = Saga(
    name="watch",
    version=1,
    starts_on=Opened,
    key="{name}",
    run="once",
    steps=(
        Step("set_up", on=Opened, emits=(Looked,), compensates=True),
        Step("look", on=Looked, emits=(Waited, Seen)),
        Step("wait", on=Waited, emits=(Looked,)),
    ),
    ends={Seen: COMPLETED},
    on_failure=OnFailure.INCIDENT,
)


def set_up(event: Opened, _: Context) -> Looked:
    return Looked(name=event.name)


def look(event: Looked, _: Context) -> Waited:
    if event.lap == LAPS:
        raise TerminalError("too dark to see anything")
    return Waited(name=event.name, lap=event.lap)


def wait(event: Waited, _: Context) -> Looked:
    return Looked(name=event.name, lap=event.lap + 1)


def take_down(event: Looked, _: Context) -> str:
    return f"nobody watches {event.name}"


@pytest.fixture
def world() -> Iterator[SagaTest]:
    with SagaTest(TRIP, {"book": book, "pay": pay}, {"book": cancel}) as made:
        yield made


@pytest.fixture
def watch() -> Iterator[SagaTest]:
    with SagaTest(WATCH, {"set_up": set_up, "look": look, "wait": wait}, {"set_up": take_down}) as made:
        yield made


def given_many_laps(watch: SagaTest) -> SagaRun:
    """A saga that has failed after so many laps that its start is forgotten."""
    saga = watch.given(Opened(name="ann"))
    watch.advance(seconds=10)
    assert saga.state.forgotten
    return saga


def wide(act: Act) -> SagaCommand:
    return SagaCommand(command=act, scope=f"{DEFINITION}trip", author="ann", reason="")


def test_a_wide_command_that_comes_again_changes_nothing(world: SagaTest) -> None:
    for command_id, act in (("one", Act.PAUSE), ("two", Act.RESUME), ("one", Act.PAUSE)):
        give(world.system.cluster, command_id, wide(act))
        world.run()
    saga = world.given(Begun(name="ann"))
    world.advance(minutes=5)
    assert saga.status is SagaStatus.COMPLETED


def test_another_wide_command_under_an_id_that_was_used_is_refused_aloud_in_every_partition(world: SagaTest) -> None:
    for act in (Act.PAUSE, Act.RESUME):
        give(world.system.cluster, "one", wide(act))
        world.run()
    told = [one for one in map(answer_of, world.system.records(SAGA_LIFECYCLE)) if one is not None]
    refused = [one for one in told if isinstance(one, CommandRefused)]
    assert [one.command for one in refused] == ["resume"] * PARTITIONS
    assert all("another command was given under the id 'one'" in one.why for one in refused)
    entries = {one.partition: decode(one.value) for one in world.system.records(SAGA_CONTROL) if one.value is not None}
    assert {number: entry.paused is not None for number, entry in entries.items()} == dict.fromkeys(
        range(PARTITIONS), True
    )


def test_another_command_to_a_saga_under_an_id_that_was_used_is_refused_aloud(world: SagaTest) -> None:
    world.fail("pay", RetryableError("busy"), times=1)
    saga = world.given(Begun(name="ann"))
    for act in (Act.PAUSE, Act.CANCEL, Act.PAUSE):
        give(world.system.cluster, "one", about(act, saga.saga_id or "", "lunch"))
    world.run()
    told = [one for one in map(answer_of, world.system.records(SAGA_LIFECYCLE)) if one is not None]
    assert sorted((one.event_type, one.command) for one in told) == [
        ("saga.command_accepted", "pause"), ("saga.command_refused", "cancel")
    ]  # fmt: skip
    assert saga.status is SagaStatus.PAUSED


def test_rulings_go_on_although_somebody_writes_nonsense_to_the_commands(world: SagaTest) -> None:
    nonsense = Outgoing(SAGA_COMMANDS, partition_of(b"ann", PARTITIONS), b"x", b"{}", [])
    world.system.cluster.producer("by-hand").transact([nonsense] * MANY, {}, None)
    world.run()
    assert len(world.system.records(DEAD_LETTERS)) == MANY
    world.fail("pay", RetryableError("busy"), times=1)
    saga = world.given(Begun(name="ann"))
    world.advance(minutes=30)
    assert saga.status is SagaStatus.COMPLETED


def test_a_rewind_to_a_step_whose_trigger_is_forgotten_is_refused(watch: SagaTest) -> None:
    saga = given_many_laps(watch)
    with pytest.raises(RefusedError, match="what step set_up worked on is not known any more"):
        saga.rewind(step="set_up")
    watch.advance(minutes=1)
    assert [incident.step for incident in saga.state.incidents] == ["look"]


def test_what_was_done_before_a_long_loop_is_undone_when_the_saga_is_cancelled(watch: SagaTest) -> None:
    saga = given_many_laps(watch).cancel("nobody looks")
    watch.advance(minutes=1)
    assert (saga.status, saga.compensated) == (SagaStatus.CANCELLED, ("set_up",))
