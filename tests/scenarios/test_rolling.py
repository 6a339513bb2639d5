"""A new version of a definition is deployed while sagas of the old one run: each goes its own version's way, once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import ClassVar

import pytest

from services.chassis.context import Context
from services.chassis.service import Service
from services.testing.system import System
from services.tracker.core.state import SagaState, SagaStatus, StepStatus
from tests.chain.definition import CHAIN, ChainStarted, FourDone
from tests.chain.handlers import HANDLERS
from tests.scenarios.conftest import Worlds
from tests.support.rig import envelope
from topology.model import COMPLETED, Saga, Step


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
            return HANDLERS[step](event, context)

        return Service(step, saga, {step: handle})

    def once_each(self, saga_ids: list[str], saga: Saga) -> None:
        """These have run every step of their definition once, and no other."""
        names = [step.name for step in saga.steps]
        for saga_id in saga_ids:
            ran = {step: number for (step, of), number in self.ran.items() if of == saga_id}
            assert ran == dict.fromkeys(names, 1), saga_id


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
