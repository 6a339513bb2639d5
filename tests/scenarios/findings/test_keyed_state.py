"""What a service keeps for a key: each handler builds on what the one before has committed, wherever that ran."""

from __future__ import annotations

from contextlib import closing

import pytest

from kafka_saga.definition.topics import state_topic
from kafka_saga.engine.context import Context
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.process import SimulatedProcess
from kafka_saga.testing.script import Script, ScriptRule
from kafka_saga.testing.system import System
from kafka_saga.worker.service import Service
from tests.scenarios.findings.given import SAGA, A, B, Started, last_of, require, undo_one

SILENT = 11.0
"""Seconds without a poll after which the group takes a member for dead."""

LONG = 60.0
"""Seconds that step `one` of the saga k@2 runs."""


def noted(context: Context) -> None:
    """The handler adds itself to what is kept for the key."""
    mine = f"{context.saga_id}/{context.step} ".encode()
    context.state.set((context.state.get() or b"") + mine)


def one(event: Started, context: Context) -> A:
    noted(context)
    return A(key=event.key, run=event.run)


def two(event: A, context: Context) -> B:
    noted(context)
    return B(key=event.key, run=event.run)


def instance(world: System, name: str) -> SimulatedProcess:
    both = Service("both", {SAGA: {"one": one, "two": two}}, compensations={SAGA: {"one": undo_one}}, stateful=True)
    return world.start(both, name)


def turns(world: System, name: str, times: int = 10) -> None:
    """Only this instance takes turns."""
    for _ in range(times):
        world.turn(f"both/{name}")
        world.clock.advance(0.001)


def kept(world: System) -> list[str]:
    """Who has added to what is kept for the key, as the last record of the changelog has it."""
    found = last_of(world.records(state_topic("both")), "k")
    return (found.value or b"").decode().split() if found is not None else []


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="finding 10: a handler that outlives its partitions commits its state on top of what others committed since",
)
def test_a_handler_that_outlived_its_partitions_loses_nothing_that_another_instance_has_kept() -> None:
    slow = Script([ScriptRule("one", Interference(seconds=LONG), saga_id="k@2")])
    with closing(System((SAGA,), interfere=slow)) as world:
        instance(world, "a")
        world.settle()
        world.publish("t.started", {"key": "k", "run": "1"})
        world.publish("t.started", {"key": "k", "run": "2"})
        turns(world, "a")
        require(kept(world) == ["k@1/one"], "the second saga runs, and the second step of the first one waits")

        other = instance(world, "b")
        world.turn("both/a")
        world.clock.advance(SILENT)
        other.beat()
        turns(world, "b")
        require(kept(world) == ["k@1/one", "k@1/two"], "the other instance has worked for the key")
        world.stop("both/b")
        world.advance(2 * LONG)

        assert sorted(kept(world)) == ["k@1/one", "k@1/two", "k@2/one", "k@2/two"]
