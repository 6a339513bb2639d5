"""However much has piled up, and however large a record is: the tracker goes on, and so do the services."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pytest

from kafka_saga.broker.memory.producers import MemoryProducer
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import DEAD_LETTERS
from kafka_saga.errors import RetryableError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import CommandRefused
from kafka_saga.testing import system
from kafka_saga.testing.commands import about as command_about
from kafka_saga.testing.commands import give
from kafka_saga.testing.system import NeverAtRestError, System
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.wire.control import DEFINITION
from tests.scenarios.findings.given import (
    SAGA,
    B,
    Named,
    Started,
    header,
    home,
    one,
    require,
    service,
    told,
    world_of,
    write,
    write_event,
)

MANY = 1_001
"""One more than the rulings about a saga that are made at once."""

BLANKS = 5_000_000
"""Bytes of a record that compresses to nothing, larger than a dead letter may be."""

ROUNDS = 300
"""Rounds of turns after which the log will not come to rest any more; the kit's own number takes a minute."""

LIVE, AT_ONCE = 1_500, 600


@pytest.mark.xfail(
    strict=True,
    raises=RuntimeError,
    reason="finding 1: a tracker that finds over 1,000 commands about a saga stops, again at every start (seed 449)",
)
def test_every_command_is_answered_however_many_were_given_while_the_tracker_was_down() -> None:
    with world_of(SAGA) as world:
        saga = world.given(Started(key="k"))
        world.stop_tracker()
        for number in range(MANY):
            give(world.system.cluster, f"c{number}", command_about(Act.RETRY, saga.saga_id, ""))

        world.start_tracker()
        world.advance(minutes=1)

        answered = {event.command_id for event in told(world.system, saga.saga_id) if isinstance(event, CommandRefused)}
        assert answered == {f"c{number}" for number in range(MANY)}


@pytest.mark.xfail(
    strict=True,
    raises=RuntimeError,
    reason="finding 1: over 1,000 events of a saga whose cause is not on the log stop the tracker for good (seed 449)",
)
def test_a_burst_of_events_without_a_cause_holds_up_no_saga() -> None:
    with world_of(SAGA) as world:
        world.fail("two", RetryableError("busy"), times=1)
        saga = world.given(Started(key="k"))
        for number in range(MANY):
            stray = Named(saga.saga_id, id=f"stray-{number}", cause="nowhere", step="two")
            write_event(world.system, B(key="k"), stray)

        world.advance(minutes=1)

        saga.then.completed()


@pytest.mark.xfail(
    strict=True,
    raises=NeverAtRestError,
    reason="finding 2: a record larger than a dead letter may be is tried for ever, and holds up all others (seed 59)",
)
def test_a_record_that_is_too_large_for_a_dead_letter_holds_up_nothing_and_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system, "MANY_TURNS", ROUNDS)
    with world_of(SAGA) as world:
        at = home(world.system, "k@1")
        written = write(world.system, Outgoing("t.started", at, b"k", b" " * BLANKS, []))

        saga = world.given(Started(key="k"))

        saga.then.completed()
        places = [
            (header(letter, "dlq_topic"), header(letter, "dlq_partition"), header(letter, "dlq_offset"))
            for letter in world.system.records(DEAD_LETTERS)
        ]
        assert places == [("t.started", str(at), str(written.offset))]


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 17: a pause of a definition writes the states of all its sagas in a partition in one transaction",
)
def test_a_pause_of_a_definition_with_many_sagas_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(System((SAGA,), partitions=1)) as world:
        world.start(service("one", SAGA, one))
        world.start_tracker()
        for number in range(LIVE):
            world.publish("t.started", {"key": f"k{number}"})
        world.settle()
        running = (world.saga(f"k{number}@1").status is SagaStatus.RUNNING for number in range(0, LIVE, 100))
        require(all(running), "all sagas run")
        sizes = sizes_of_transactions(monkeypatch)

        give(world.cluster, "freeze", definition_paused())
        world.advance(60)

        require(max(sizes) > 1, "transactions are counted")
        assert max(sizes) <= AT_ONCE


def sizes_of_transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each transaction writes from now on."""
    sizes: list[int] = []
    begin = MemoryProducer.begin

    def counted(producer: MemoryProducer, outgoing: Sequence[Outgoing]) -> None:
        sizes.append(len(outgoing))
        begin(producer, outgoing)

    monkeypatch.setattr(MemoryProducer, "begin", counted)
    return sizes


def definition_paused() -> SagaCommand:
    return SagaCommand(command=Act.PAUSE, scope=f"{DEFINITION}{SAGA.name}", author="ann", reason="freeze")
