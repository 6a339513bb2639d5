"""The log of an earlier version is taken over: definitions count as they were stated, sagas go on to their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kafka_saga.definition.durations import days, minutes
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_DEFINITIONS, SAGA_STATE
from kafka_saga.errors import TopologyError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.steps.definition_registry import agree
from kafka_saga.testing.commands import about, give
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaState, SagaStatus, decode, encode
from kafka_saga.wire.control import PREFIX
from tests.scenarios.conftest import Worlds
from tests.scenarios.earlier import DEFINITIONS, VOYAGE, services
from tests.support.kept_log import load, read

LOG = read(Path(__file__).parents[1] / "fixtures" / "log_before" / "states_without_a_format.jsonl")

THEN = {
    "O-1@once": "completed", "O-2@once": "failed", "O-3@once": "failed",
    "done@1": "completed", "running@1": "running", "retrying@1": "running",
    "undoing@1": "compensating", "stuck@1": "compensating",
    "superseded@1": "cancelled", "superseded@2": "completed", "called-off@1": "cancelled",
    "done-too@1": "completed", "broken@1": "running",
    "paused@1": "pausing", "paused-while-it-fails@1": "paused", "held-back@1": "paused",
}  # fmt: skip
"""How the sagas stand in the log that is kept."""

GOES_ON = {"running@1", "retrying@1", "broken@1", "paused@1", "paused-while-it-fails@1", "held-back@1"}
IS_UNDONE = {"undoing@1", "stuck@1"}


@pytest.fixture
def world(worlds: Worlds) -> System:
    made = worlds(DEFINITIONS)
    load(made, LOG)
    return made


def states(world: System) -> dict[str, SagaState]:
    return {saga_id: world.saga(saga_id) for saga_id in THEN}


def standing(world: System) -> dict[str, str]:
    return {saga_id: state.status.value for saga_id, state in states(world).items()}


def start_all(world: System, definitions: Sequence[Saga] = DEFINITIONS) -> None:
    agree(world.cluster, definitions, world.clock)
    for service in services():
        world.start(service)
    world.start_tracker()
    world.settle()


def test_what_was_stated_in_full_counts_and_is_left_as_it_is(world: System) -> None:
    before = world.records(SAGA_DEFINITIONS)
    known = agree(world.cluster, DEFINITIONS, world.clock)
    agree(world.cluster, DEFINITIONS, world.clock)
    assert {statement.key for statement in known} == {"code_review@1", "order@1", "chain@1", "voyage@3"}
    assert world.records(SAGA_DEFINITIONS) == before


def test_other_content_than_was_stated_in_full_is_refused(world: System) -> None:
    load_step, sail = VOYAGE.steps
    other = replace(VOYAGE, steps=(load_step, replace(sail, timeout=minutes(5))))
    with pytest.raises(TopologyError, match=r"\(steps\.sail\.timeout: 7200 -> 300\)"):
        agree(world.cluster, (other,), world.clock)


def test_every_state_is_read_and_written_as_it_was(world: System) -> None:
    values = [record.value for record in world.records(SAGA_STATE) if record.value]
    assert [encode(decode(value)) for value in values] == values
    assert standing(world) == THEN


def test_sagas_go_on_to_their_ends(world: System) -> None:
    start_all(world)
    give(world.cluster, "go-on", about(Act.RESUME, "paused@1", "looked at"))
    give(world.cluster, "go-on-2", about(Act.RESUME, "paused-while-it-fails@1", "looked at"))
    give(world.cluster, "go-on-3", about(Act.REDRIVE, "broken@1", "mended"))
    give(world.cluster, "go-on-4", about(Act.RETRY, "stuck@1", "mended", step="load"))
    give(world.cluster, "go-on-5", SagaCommand(command=Act.RESUME, scope=f"{PREFIX}held", author="ann"))
    world.advance(days(1).total_seconds())
    ended = {**THEN, **dict.fromkeys(GOES_ON, "completed"), **dict.fromkeys(IS_UNDONE, "failed")}
    assert standing(world) == ended
    assert not any(state.incidents for state in states(world).values())


def test_sagas_that_have_ended_are_forgotten_in_time(world: System) -> None:
    start_all(world)
    world.advance(days(8).total_seconds())
    left = {record.key: record.value for record in world.records(SAGA_STATE)}
    ended = [saga_id for saga_id, status in THEN.items() if SagaStatus(status).is_final]
    assert [left[saga_id.encode()] for saga_id in ended] == [None] * len(ended)
