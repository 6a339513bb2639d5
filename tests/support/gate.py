"""A gate that async handlers wait at until the test opens it for their key."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict


class Gate:
    """Used from the handlers' loops and from the test's thread."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.left: list[str] = []
        self.cancelled: list[str] = []
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._waiting: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(list)

    async def passes(self, key: str) -> None:
        """Wait here until `key` is let through."""
        event = asyncio.Event()
        with self._lock:
            self.entered.append(key)
            self._waiting[key].append((asyncio.get_running_loop(), event))
            if key in self._open:
                event.set()
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        self.left.append(key)

    def open(self, *keys: str) -> None:
        """Let these keys through, those that come later too."""
        with self._lock:
            self._open.update(keys)
            waiting = [pair for key in keys for pair in self._waiting.pop(key, ())]
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    @property
    def inside(self) -> int:
        """How many wait or have not noticed yet that they may go on."""
        return len(self.entered) - len(self.left) - len(self.cancelled)
