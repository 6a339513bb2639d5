"""An answer that is good for a moment: asked for once, however many want it at once, and for a while ahead of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cached(Generic[T]):
    """The last answer, for `seconds`; until `longest`, it is given while the next one is asked for."""

    def __init__(self, seconds: float, longest: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._longest = longest
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: tuple[float, T] | None = None
        self._asking: asyncio.Task[T] | None = None
        self._wanted_at: float | None = None

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked for anew if the last one is too old. Raises what asking raises."""
        self._wanted_at = self._clock()
        kept = self._kept
        if kept is None or self._clock() - kept[0] >= max(self._seconds, self._longest):
            return await self._asked(ask)
        if self._clock() - kept[0] >= self._seconds and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._asked(ask))
            self._asking.add_done_callback(_heard)
        return kept[1]

    async def keep(self, ask: Callable[[], Awaitable[T]], while_s: float) -> None:
        """Ask anew if anybody has wanted it within the last `while_s` seconds, or nobody knows it yet."""
        is_wanted = self._wanted_at is not None and self._clock() - self._wanted_at < while_s
        if self._kept is None or is_wanted:
            await self._asked(ask)

    def close(self) -> None:
        """Give up what is being asked for."""
        if self._asking is not None:
            self._asking.cancel()

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._lock:
            kept = self._kept
            if kept is not None and self._clock() - kept[0] < self._seconds:
                return kept[1]
            answer = await ask()
            self._kept = (self._clock(), answer)
            return answer


def _heard(asking: asyncio.Task[T]) -> None:
    """What goes wrong ahead of a question is no news: whoever asks when the answer is too old is told."""
    if not asking.cancelled():
        asking.exception()
