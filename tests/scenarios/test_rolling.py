"""A new version of a definition is deployed while sagas of the old one run: each goes its own version's way, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import ClassVar

import pytest

from kafka_saga.definition.model import COMPLETED, Saga, Step
from kafka_saga.engine.context import Context
from kafka_saga.errors import TopologyError
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN, ChainStarted, FourDone
from tests.chain.handlers import HANDLERS
from tests.scenarios.conftest import Worlds
from tests.support.rig import envelope


class FiveDone(ChainStarted):
    event_type: ClassVar[str] = "five.done"


CHAIN_2 = replace(
    CHAIN,
    version=2,
    steps=(*CHAIN.steps, Step("five", on=FourDone, emits=(FiveDone,))),
    ends={FiveDone: COMPLETED},
)
TEN_MINUTES = 600.0
UNKNOWN = ["unknown_version"]


class Counting:
    """Handlers of the chain that count what they are asked to do."""

    def __init__(self) -> None:
        self.ran: Counter[tuple[str, str]] = Counter()

    def of(self, step: str, saga: Saga) -> Service:
        def handle(event: ChainStarted, context: Context) -> ChainStarted:
            self.ran[context.step, context.saga_id] += 1
            if step == "five":
                return FiveDone(name=event.name, number=event.number)
            outcome: ChainStarted = HANDLERS[step](event, context)
            return outcome

        return Service(step, {saga: {step: handle}})

    def once_each(self, saga_ids: list[str], saga: Saga) -> None:
        """These have run every step of their definition once, and no other."""
        names = [step.name for step in saga.steps]
        for saga_id in saga_ids:
            ran = {step: number for (step, of), number in self.ran.items() if of == saga_id}
            assert ran == dict.fromkeys(names, 1), saga_id


class Slow(Counting):
    """Handlers that take a minute."""

    def of(self, step: str, saga: Saga) -> Service:
        quick = super().of(step, saga).jobs[0].handler

        async def handle(event: ChainStarted, context: Context) -> ChainStarted:
            await asyncio.sleep(60)
            outcome: ChainStarted = quick(event, context)
            return outcome

        return Service(step, {saga: {step: handle}})


@pytest.fixture
def handlers() -> Counting:
    return Counting()


def deployed(worlds: Worlds, handlers: Counting) -> System:
    """Version 1 works; the topics of version 2 are there, as the first of its processes makes them."""
    world = worlds((CHAIN, CHAIN_2))
    for step in HANDLERS:
        world.start(handlers.of(step, CHAIN), "old")
    world.start_tracker("old", definitions=(CHAIN,))
    world.settle()
    return world


def start(world: System, prefix: str, number: int = 10) -> list[str]:
    for one in range(number):
        world.publish("chain.started", {"name": f"{prefix}{one}", "number": 1})
    return [f"{prefix}{one}@1" for one in range(number)]


def roll(world: System, handlers: Counting, *steps: str) -> None:
    """The services of these steps are replaced one by one; that of a new step just comes."""
    for step in steps:
        world.start(handlers.of(step, CHAIN_2), "new")
        world.settle()
        if f"{step}/old" in world.processes:
            world.stop(f"{step}/old")
            world.settle()


def roll_tracker(world: System, *definitions: Saga) -> None:
    world.start_tracker("new", definitions=definitions)
    world.settle()
    world.stop("tracker/old")
    world.settle()


def states(world: System, saga_ids: list[str]) -> list[SagaState]:
    return [world.saga(saga_id) for saga_id in saga_ids]


def versions(world: System, saga_ids: list[str]) -> set[int]:
    """The versions that the events of these sagas carry."""
    records = [record for topic in CHAIN_2.events for record in world.records(topic)]
    named = [envelope(record) for record in records if "ce_subject" in dict(record.headers)]
    return {one.version for one in named if one.subject in saga_ids}


@pytest.mark.parametrize("at", list(HANDLERS)[1:])
def test_a_step_is_added_while_sagas_run_and_the_tracker_comes_last(
    worlds: Worlds, handlers: Counting, at: str
) -> None:
    """The sagas of the old version wait at one of their steps."""
    world = deployed(worlds, handlers)
    world.stop(f"{at}/old")
    old = start(world, "old")
    world.settle()
    roll(world, handlers, "three", "five", "four", "one", "two")
    new = start(world, "new")
    world.settle()
    handlers.once_each(old, CHAIN)
    handlers.once_each(new, CHAIN_2)
    assert (versions(world, old), versions(world, new)) == ({1}, {2})
    assert {state.status for state in states(world, old)} == {SagaStatus.COMPLETED}
    assert {(state.version, state.hash, state.incidents) for state in states(world, new)} == {(2, "", ())}

    world.advance(TEN_MINUTES - 30)
    assert [state.incidents for state in states(world, new)] == [()] * len(new), "it may be a rolling deploy"
    world.advance(60)
    assert [[one.kind for one in state.incidents] for state in states(world, new)] == [UNKNOWN] * len(new)
    assert [state.incidents for state in states(world, old)] == [()] * len(old)

    roll_tracker(world, CHAIN, CHAIN_2)
    world.advance(60)
    assert {state.status for state in states(world, new)} == {SagaStatus.COMPLETED}
    assert {(state.hash, state.incidents) for state in states(world, new)} == {(CHAIN_2.content_hash, ())}
    assert all(step.status is StepStatus.DONE for state in states(world, new) for step in state.steps)
    assert [len(state.steps) for state in states(world, new)] == [5] * len(new)
    assert not any(state.unmatched for state in states(world, old + new))
    handlers.once_each(old, CHAIN)
    handlers.once_each(new, CHAIN_2)


def test_a_tracker_that_comes_first_follows_both_versions(worlds: Worlds, handlers: Counting) -> None:
    world = deployed(worlds, handlers)
    world.stop("four/old")
    old = start(world, "old")
    world.settle()
    roll_tracker(world, CHAIN, CHAIN_2)
    roll(world, handlers, "one", "two", "three", "four", "five")
    new = start(world, "new")
    world.settle()
    assert {state.status for state in states(world, old + new)} == {SagaStatus.COMPLETED}
    assert {state.hash for state in states(world, old)} == {CHAIN.content_hash}
    assert {state.hash for state in states(world, new)} == {CHAIN_2.content_hash}
    assert not any(state.unmatched or state.incidents for state in states(world, old + new))
    handlers.once_each(old, CHAIN)
    handlers.once_each(new, CHAIN_2)


def test_a_tracker_that_follows_only_the_new_version_is_refused_while_sagas_of_the_old_one_run(
    worlds: Worlds, handlers: Counting
) -> None:
    world = deployed(worlds, handlers)
    world.stop("four/old")
    start(world, "old", 1)
    world.settle()
    world.stop("tracker/old")
    world.start_tracker("new", definitions=(CHAIN_2,))
    with pytest.raises(TopologyError, match="1 saga of chain v1 still run"):
        world.settle()


def test_a_service_is_replaced_while_its_handlers_run(worlds: Worlds) -> None:
    """What runs in the old one is cut off when that stops, and begins anew; what has ended does not."""
    handlers = Slow()
    world = deployed(worlds, handlers)
    sagas = start(world, "saga")
    world.advance(90)
    for step in HANDLERS:
        roll(world, handlers, step)
        world.advance(45)
    world.advance(300)
    assert {state.status for state in states(world, sagas)} == {SagaStatus.COMPLETED}
    assert {len(world.records(event)) for event in list(CHAIN.events)[1:]} == {len(sagas)}
    handlers.once_each(sagas, CHAIN)
