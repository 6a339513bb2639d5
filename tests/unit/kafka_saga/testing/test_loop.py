"""The loop in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.testing.loop import virtual_loop


class Clocked:
    """A loop, its clock, and what happened when."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.loop = virtual_loop(self.clock)
        self.seen: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.seen.append((self.clock.monotonic(), what))

    async def sleeper(self, name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.note(name)

    def jump(self) -> None:
        due = self.loop.due
        assert due is not None
        self.clock.advance(due - self.clock.monotonic())
        self.loop.run_ready()


def test_sleepers_wake_in_the_order_of_their_time() -> None:
    world = Clocked()
    for name, seconds in (("late", 3600), ("soon", 1), ("at once", 0)):
        world.loop.create_task(world.sleeper(name, seconds))
    world.loop.run_ready()
    world.jump()
    world.jump()
    assert world.seen == [(0, "at once"), (1, "soon"), (3600, "late")]
    assert world.loop.due is None


def test_a_timeout_ends_in_virtual_time() -> None:
    world = Clocked()

    async def bounded() -> None:
        try:
            async with asyncio.timeout(30):
                await asyncio.sleep(60)
        except TimeoutError:
            world.note("timeout")

    world.loop.create_task(bounded())
    world.loop.run_ready()
    world.jump()
    assert world.seen == [(30, "timeout")]
    assert world.loop.due is None


def test_locks_gather_and_threads_work() -> None:
    world = Clocked()

    async def busy() -> None:
        lock = asyncio.Lock()

        async def one(name: str) -> str:
            async with lock:
                await asyncio.sleep(1)
                return await asyncio.to_thread(name.upper)

        world.note(" ".join(await asyncio.gather(one("a"), one("b"))))

    world.loop.create_task(busy())
    world.loop.run_ready()
    world.jump()
    world.jump()
    assert world.seen == [(2, "A B")]


def test_a_thread_that_fails_fails_whoever_waits_for_it() -> None:
    world = Clocked()

    async def failing() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        world.note("failed")

    world.loop.create_task(failing())
    world.loop.run_ready()
    assert world.seen == [(0, "failed")]


def test_a_callback_that_fails_is_heard() -> None:
    world = Clocked()
    world.loop.call_soon(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        world.loop.run_ready()
