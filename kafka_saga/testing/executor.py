"""Where handlers run in tests and simulations: in the one thread there is, in virtual time.

Plain handlers run at once, async ones on a loop whose time is the virtual clock, heavy ones as plain ones that take
their time. Timeouts are enforced in virtual time.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from kafka_saga.broker.clock import Clock
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Delivery, Interrupted, Mode, Result, Returned, TimedOut
from kafka_saga.events.event import Event
from kafka_saga.execution.inline import raised, run_inline
from kafka_saga.testing.loop import virtual_loop


class Interference(NamedTuple):
    """What happens to one attempt of a handler: it takes `seconds` longer, then fails with `error` if there is one."""

    seconds: float = 0.0
    error: Exception | None = None


UNDISTURBED = Interference()

Interfere = Callable[[Context], Interference]


def undisturbed(context: Context) -> Interference:
    """Nothing happens to any attempt."""
    return UNDISTURBED


class VirtualExecutor:
    """Runs the handlers of one process under `clock`; `interfere` is asked before each attempt."""

    def __init__(self, clock: Clock, interfere: Interfere = undisturbed) -> None:
        self._loop = virtual_loop(clock)
        self._interfere = interfere
        self._running: dict[Delivery, tuple[Context, asyncio.Task[None]]] = {}
        self._interrupted: set[Delivery] = set()
        self._results: list[tuple[Delivery, Result]] = []

    @property
    def due(self) -> float | None:
        """When a handler goes on that waits for time, in the clock's seconds; none if there is none."""
        return self._loop.due

    @property
    def has_ready(self) -> bool:
        """Whether a handler goes on with the next look at results."""
        return self._loop.has_ready

    def run(self, delivery: Delivery, event: Event, context: Context) -> Result | None:
        """As `Executor.run`."""
        happens = self._interfere(context)
        if delivery.job.mode is Mode.INLINE and happens is UNDISTURBED:
            return run_inline(delivery.job.handler, event, context)
        work = self._perform(delivery, event, context, happens)
        self._running[delivery] = (context, self._loop.create_task(work))
        return None

    def cancel(self, delivery: Delivery) -> None:
        """As `Executor.cancel`."""
        if found := self._running.pop(delivery, None):
            context, task = found
            context.is_cancelled = True
            task.cancel()

    def interrupt(self, delivery: Delivery) -> None:
        """As `Executor.interrupt`."""
        if found := self._running.get(delivery):
            context, task = found
            context.is_cancelled = True
            self._interrupted.add(delivery)
            self._loop.call_soon(task.cancel)  # not before its first step, else it would end without a result

    def warn(self, delivery: Delivery) -> None:
        """As `Executor.warn`."""
        if delivery.context is not None:
            delivery.context.is_cancelled = True

    def results(self, timeout: float) -> list[tuple[Delivery, Result]]:
        """As `Executor.results`; there is nothing to wait for, since time stands still meanwhile."""
        self._loop.run_ready()
        found, self._results = self._results, []
        return found

    def close(self) -> None:
        """Cancel what runs."""
        running, self._running = self._running, {}
        for _, task in running.values():
            task.cancel()
        self._loop.run_ready()

    async def _perform(self, delivery: Delivery, event: Event, context: Context, happens: Interference) -> None:
        try:
            result: Result = await self._bounded(delivery, event, context, happens)
        except asyncio.CancelledError as error:
            if delivery not in self._running:
                raise
            by_us = delivery in self._interrupted
            result = Interrupted() if by_us else raised(error)  # else something that the handler awaited was cancelled
        self._interrupted.discard(delivery)
        if self._running.pop(delivery, None):
            self._results.append((delivery, result))

    async def _bounded(self, delivery: Delivery, event: Event, context: Context, happens: Interference) -> Result:
        seconds = delivery.job.step.timeout.total_seconds()
        timer = asyncio.timeout(seconds)
        try:
            async with timer:
                return Returned(await _disturbed(delivery.job.handler, event, context, happens))
        except TimeoutError as error:
            return TimedOut(seconds) if timer.expired() else raised(error)
        except (Exception, SystemExit) as error:  # a handler may raise anything; it becomes a report
            return raised(error)


async def _disturbed(handler: Callable[..., Any], event: Event, context: Context, happens: Interference) -> object:
    if happens.seconds:
        await asyncio.sleep(happens.seconds)
    if happens.error is not None:
        raise happens.error
    returned = handler(event, context)
    return await returned if inspect.isawaitable(returned) else returned
