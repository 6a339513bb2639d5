"""A tracker takes sagas over from a later version of itself, as when a deploy is rolled back."""

from __future__ import annotations

import json

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import FORMAT, SagaStatus
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS
from tests.scenarios.conftest import Worlds

SAGA = "ann@1"

Json = dict[str, object]


@pytest.fixture
def world(worlds: Worlds) -> System:
    """A saga waits for its third step; there is no tracker."""
    made = worlds((CHAIN,))
    for step in ("one", "two"):
        made.start(Service(step, {CHAIN: {step: HANDLERS[step]}}))
    made.start_tracker("later")
    made.publish("chain.started", {"name": "ann", "number": 1})
    made.advance(1)
    made.stop("tracker/later")
    return made


def record(world: System) -> Json:
    found: Json = json.loads(world.records(SAGA_STATE)[-1].value or b"")
    return found


def rewrite(world: System, **fields: object) -> Json:
    """The saga's state as a later version has left it."""
    before = record(world)
    steps = before["steps"]
    assert isinstance(steps, list)
    runs = [[{**run, "worker": f"of {run['about']}"} for run in step.get("runs", ())] for step in steps]
    later = [{**step, "runs": run, "slot": step["name"]} for step, run in zip(steps, runs, strict=True)]
    made = {**before, "steps": later, "mood": {"is": "calm"}, "format": FORMAT + 1, **fields}
    number = partition_of(b"ann", len(world.cluster.topics[SAGA_STATE]))
    world.cluster.append_foreign(Outgoing(SAGA_STATE, number, SAGA.encode(), json.dumps(made).encode(), []))
    return made


def go_on(world: System) -> None:
    world.start_tracker("ours")
    for step in ("three", "four"):
        world.start(Service(step, {CHAIN: {step: HANDLERS[step]}}))
    world.advance(60)


def test_a_saga_goes_on_and_keeps_what_only_the_later_version_knows(world: System) -> None:
    before = rewrite(world)
    go_on(world)
    after = record(world)
    assert world.saga(SAGA).status is SagaStatus.COMPLETED
    assert (after["format"], after["mood"]) == (FORMAT + 1, {"is": "calm"})
    was, now = before["steps"], after["steps"]
    assert isinstance(was, list)
    assert isinstance(now, list)
    assert [step["slot"] for step in now] == ["one", "two", "three", "four"]
    assert [step["runs"] for step in now[:2]] == [step["runs"] for step in was[:2]]
    assert [step["status"] for step in now] == ["done"] * 4


def test_a_saga_that_only_the_later_version_may_read_is_left_alone(
    world: System, caplog: pytest.LogCaptureFixture
) -> None:
    before = rewrite(world, min_reader=FORMAT + 1)
    go_on(world)
    assert record(world) == before
    assert "to be read from format 2 on, and this version has format 1" in caplog.text
