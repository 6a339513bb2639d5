"""A transaction of which nobody knows whether it was committed: the group's offsets tell, and nothing is done twice."""

from __future__ import annotations

import pytest

from kafka_saga.broker.port import TransactionInDoubtError
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN, FourDone, TwoDone
from tests.chain.handlers import HANDLERS
from tests.scenarios.conftest import Worlds


@pytest.mark.parametrize("point", ["inside", "before_commit", "after_commit"])
@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_that_gets_lost_loses_and_doubles_nothing(worlds: Worlds, point: str, times: int) -> None:
    world = worlds((CHAIN,))
    for step, handler in HANDLERS.items():
        world.start(Service(step, {CHAIN: {step: handler}}))
    world.start_tracker()
    world.settle()
    left = times

    def fault(at: str) -> None:
        nonlocal left
        if at == point and left:
            left -= 1
            raise TransactionInDoubtError("no answer")

    world.cluster.fault = fault
    for number in range(30):
        world.publish("chain.started", {"name": f"c{number}", "number": 1})
    world.settle()
    assert left == 0
    assert sorted(e.name for e in world.events(TwoDone)) == sorted(f"c{n}" for n in range(30))
    assert len(world.events(FourDone)) == 30
    assert {world.saga(f"c{n}@1").status for n in range(30)} == {SagaStatus.COMPLETED}
