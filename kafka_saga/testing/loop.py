"""An asyncio loop in virtual time: `asyncio.sleep(3600)` is over as soon as the clock has been moved by an hour.

No threads, no sockets: what handlers await is other coroutines, futures, locks and timers.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from typing import Any, TypeVarTuple, Unpack

from kafka_saga.broker.clock import Clock

Ts = TypeVarTuple("Ts")


def virtual_loop(clock: Clock) -> VirtualLoop:
    """A loop under this clock; what handlers have no use for in tests (sockets, signals) raises NotImplementedError."""
    return VirtualLoop(clock)  # type: ignore[abstract]


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks when it is asked to, in the order they were scheduled in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._is_running = False

    @property
    def due(self) -> float | None:
        """When the next timer ends, in the clock's seconds; none if nothing waits for time."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    @property
    def has_ready(self) -> bool:
        """Whether `run_ready` would run something."""
        return bool(self._ready) or ((due := self.due) is not None and due <= self.time())

    def run_ready(self) -> None:
        """Run everything that can run now."""
        if not self._ready and not self._timers:
            return
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        self._is_running = True
        try:
            self._run()
        finally:
            self._is_running = False
            asyncio._set_running_loop(before)

    # ---- what asyncio asks of a loop

    def time(self) -> float:
        """The clock's seconds."""
        return self._clock.monotonic()

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run `callback` with the next `run_ready`."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` in `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run `callback` at `when`, in the clock's seconds."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        """A task of this loop."""
        return asyncio.Task(coro, loop=self, **options)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """`asyncio.to_thread` has no thread here: the function is called at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # whatever it is, it belongs to whoever awaits
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback has failed: nobody else will say so."""
        error = context.get("exception")
        raise error if isinstance(error, BaseException) else RuntimeError(context.get("message"))

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Whether callbacks run now."""
        return self._is_running

    def is_closed(self) -> bool:
        """Never."""
        return False

    async def shutdown_asyncgens(self) -> None:
        """Nothing to shut down."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def _run(self) -> None:
        while True:
            now = self.time()
            while (due := self.due) is not None and due <= now:
                self._ready.append(heapq.heappop(self._timers)[2])
            if not self._ready:
                return
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
