"""An answer that is good for a moment: asked for once, however many want it at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """The last answer, for `seconds`."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: tuple[float, T] | None = None

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked for anew if the last one is too old."""
        async with self._lock:
            kept = self._kept
            if kept is not None and self._clock() - kept[0] < self._seconds:
                return kept[1]
            answer = await ask()
            self._kept = (self._clock(), answer)
            return answer
