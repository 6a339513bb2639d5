"""Handlers in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.records import Record
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Delivery, Raised, Result, Returned, TimedOut, delivery_of
from kafka_saga.errors import RetryableError
from kafka_saga.testing.executor import UNDISTURBED, Interference, VirtualExecutor
from kafka_saga.worker.service import Handler, Service
from tests.chain.definition import CHAIN, ChainStarted, OneDone
from tests.unit.kafka_saga.engine.given import ENVELOPE

EVENT = ChainStarted(name="a", number=1)
DONE = OneDone(name="a", number=1)


class Bench:
    """An executor with one handler, and the time."""

    def __init__(self, handler: Handler, happens: Interference = UNDISTURBED, *, heavy: bool = False) -> None:
        self.clock = VirtualClock()
        self.executor = VirtualExecutor(self.clock, lambda _: happens)
        job = Service("one", {CHAIN: {"one": handler}}, heavy=["one"] if heavy else ()).jobs[0]
        record = Record("chain.started", 0, 0, 0, b"a", b"", [])
        self.delivery: Delivery = delivery_of(record, ENVELOPE, job)
        self.context = Context("a@1", "a", "one", 1, 0, BlobStore("memory://executor"))

    def run(self) -> Result | None:
        return self.executor.run(self.delivery, EVENT, self.context)

    def results_after(self, seconds: float) -> list[Result]:
        before = self.executor.results(0)
        self.clock.advance(seconds)
        return [result for _, result in (*before, *self.executor.results(0))]


async def slow(event: ChainStarted, _: Context) -> OneDone:
    await asyncio.sleep(10)
    return DONE


async def forever(event: ChainStarted, _: Context) -> OneDone:
    await asyncio.sleep(1_000_000)
    return DONE


def plain(event: ChainStarted, _: Context) -> OneDone:
    return DONE


def test_a_plain_handler_runs_at_once() -> None:
    assert Bench(plain).run() == Returned(DONE)


def test_a_heavy_handler_runs_in_this_process() -> None:
    bench = Bench(plain, heavy=True)
    assert bench.run() is None
    assert bench.results_after(0) == [Returned(DONE)]


def test_an_async_handler_ends_when_its_time_has_come() -> None:
    bench = Bench(slow)
    assert bench.run() is None
    assert bench.results_after(9) == []
    assert bench.executor.due == 10
    assert bench.results_after(1) == [Returned(DONE)]


def test_a_handler_is_stopped_after_its_steps_timeout() -> None:
    bench = Bench(forever)
    bench.run()
    assert bench.results_after(CHAIN.steps[0].timeout.total_seconds()) == [TimedOut(300)]


@pytest.mark.parametrize("handler", [plain, slow])
def test_a_handler_can_be_made_to_fail(handler: Handler) -> None:
    error = RetryableError("closed")
    bench = Bench(handler, Interference(seconds=2, error=error))
    assert bench.run() is None
    assert bench.results_after(1) == []
    assert bench.results_after(1) == [Raised(error)]


def test_a_plain_handler_can_be_made_to_take_time() -> None:
    bench = Bench(plain, Interference(seconds=3))
    assert bench.run() is None
    assert bench.results_after(2) == []
    assert bench.results_after(1) == [Returned(DONE)]


def test_of_a_cancelled_handler_nothing_comes() -> None:
    bench = Bench(slow)
    bench.run()
    bench.executor.results(0)
    bench.executor.cancel(bench.delivery)
    assert bench.context.cancelled
    assert bench.results_after(100) == []
