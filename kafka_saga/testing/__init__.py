"""The testing kit: run a whole saga with your handlers, in memory, in virtual time, in milliseconds.

    with SagaTest(ORDER, handlers=HANDLERS, compensations=COMPENSATIONS) as world:
        world.fail("payment", times=2, error=RetryableError("the bank is closed"))
        order = world.given(OrderPlaced(...))
        world.advance(hours=1)
        order.then.completed()
        assert order.step("payment").attempt == 3

It is the product that runs: the same services, the same tracker, on a log with the semantics of Kafka.
"""

from kafka_saga.testing.expectation import Expectation, NotAsExpectedError
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.run import RefusedError, SagaRun
from kafka_saga.testing.system import System
from kafka_saga.tracker.core.state import SagaStatus, StepStatus

__all__ = [
    "Expectation",
    "NotAsExpectedError",
    "RefusedError",
    "SagaRun",
    "SagaStatus",
    "SagaTest",
    "StepStatus",
    "System",
]
