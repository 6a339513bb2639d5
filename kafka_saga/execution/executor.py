"""Where handlers run: inline, on an asyncio loop in a second thread, or in a child process."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Delivery, Interrupted, Job, Mode, Result, Returned, TimedOut
from kafka_saga.events.event import Event
from kafka_saga.execution.inline import raised, run_inline

if TYPE_CHECKING:
    from kafka_saga.execution.process_pool import ProcessPool


class Executor(Protocol):
    """Runs handlers; the shell's only way to them."""

    def run(self, delivery: Delivery, event: Event, context: Context) -> Result | None:
        """The result of an inline handler; none for one that runs elsewhere, whose result comes by `results`."""

    def cancel(self, delivery: Delivery) -> None:
        """Nobody waits for this handler any more: stop it, its result will not come."""

    def interrupt(self, delivery: Delivery) -> None:
        """Stop this handler; its result comes all the same: that it was interrupted, or what it had come to before."""

    def warn(self, delivery: Delivery) -> None:
        """Let this handler see that its saga is cancelled; it goes on."""

    def results(self, timeout: float) -> Iterable[tuple[Delivery, Result]]:
        """What has ended since, waiting up to `timeout` seconds for the first."""

    def close(self) -> None:
        """Stop everything."""


class ThreadedExecutor:
    """The real executor: one loop thread for async handlers and for the children that heavy ones run in."""

    def __init__(self, heavy_processes: int = 2) -> None:
        self._results: queue.SimpleQueue[tuple[Delivery, Result]] = queue.SimpleQueue()
        self._running: dict[Delivery, tuple[asyncio.Task[None], Context]] = {}
        self._interrupted: set[Delivery] = set()
        self._heavy_processes = heavy_processes
        self._children: ProcessPool | None = None
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="handlers", daemon=True)
        self._thread.start()

    def run(self, delivery: Delivery, event: Event, context: Context) -> Result | None:
        """As `Executor.run`."""
        if delivery.job.mode is Mode.INLINE:
            return run_inline(delivery.job.handler, event, context)
        self.loop.call_soon_threadsafe(self._spawn, delivery, event, context)
        return None

    def cancel(self, delivery: Delivery) -> None:
        """As `Executor.cancel`."""
        self.loop.call_soon_threadsafe(self._cancel, delivery)

    def interrupt(self, delivery: Delivery) -> None:
        """As `Executor.interrupt`."""
        self.loop.call_soon_threadsafe(self._interrupt, delivery)

    def warn(self, delivery: Delivery) -> None:
        """As `Executor.warn`."""
        if delivery.context is not None:
            delivery.context.is_cancelled = True

    def results(self, timeout: float) -> list[tuple[Delivery, Result]]:
        """As `Executor.results`."""
        found: list[tuple[Delivery, Result]] = []
        try:
            found.append(self._results.get(timeout=timeout) if timeout > 0 else self._results.get_nowait())
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            return found

    def submit(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run something else on the loop, and wait for it (health server)."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def close(self) -> None:
        """As `Executor.close`."""
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _spawn(self, delivery: Delivery, event: Event, context: Context) -> None:
        task = self.loop.create_task(self._perform(delivery, event, context))
        self._running[delivery] = (task, context)

    def _cancel(self, delivery: Delivery) -> None:
        self._interrupted.discard(delivery)
        if found := self._running.pop(delivery, None):
            task, context = found
            context.is_cancelled = True
            task.cancel()

    def _interrupt(self, delivery: Delivery) -> None:
        if found := self._running.get(delivery):
            task, context = found
            context.is_cancelled = True
            self._interrupted.add(delivery)
            self.loop.call_soon(task.cancel)  # not before its first step, else it would end without a result

    async def _perform(self, delivery: Delivery, event: Event, context: Context) -> None:
        try:
            result: Result = await self._bounded(delivery.job, event, context)
        except asyncio.CancelledError as error:
            if delivery not in self._running:
                raise
            by_us = delivery in self._interrupted
            result = Interrupted() if by_us else raised(error)  # else something that the handler awaited was cancelled
        self._interrupted.discard(delivery)
        if self._running.pop(delivery, None):
            self._results.put((delivery, result))

    async def _bounded(self, job: Job, event: Event, context: Context) -> Result:
        """Run a handler for at most its step's timeout."""
        seconds = job.step.timeout.total_seconds()
        timer = asyncio.timeout(seconds)
        try:
            if job.mode is Mode.HEAVY:
                return await self._pool().run(job, event, context, seconds)
            async with timer:
                return Returned(await job.handler(event, context))
        except TimeoutError as error:
            return TimedOut(seconds) if timer.expired() else raised(error)
        except (Exception, SystemExit) as error:  # a handler may raise anything; it becomes a report
            return raised(error)

    async def _stop(self) -> None:
        running = [task for task, _ in self._running.values()]
        self._running.clear()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._children is not None:
            self._children.close()

    def _pool(self) -> ProcessPool:
        """The children of heavy handlers; services without such handlers do not even import what starts them."""
        if self._children is None:
            from kafka_saga.execution.process_pool import ProcessPool  # noqa: PLC0415

            self._children = ProcessPool(self._heavy_processes)
        return self._children
