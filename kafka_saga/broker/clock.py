"""Time as a port: the system's clock, and one that tests move by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> int:
        """The time of day, in milliseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        """The time of day, in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()


class VirtualClock:
    """A clock that stands still until it is moved. Starts at 2026-01-01T00:00:00Z unless told otherwise."""

    def __init__(self, start: int = 1_767_225_600_000) -> None:
        self._start = start
        self._now = start

    def now(self) -> int:
        """The virtual time of day, in milliseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made."""
        return (self._now - self._start) / 1000

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += round(seconds * 1000)
