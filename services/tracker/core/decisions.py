"""What the tracker decides; the shell turns decisions into records."""

from __future__ import annotations

import msgspec


class Started(msgspec.Struct, frozen=True, tag=True):
    """The saga's first event is known."""

    at: int


class Completed(msgspec.Struct, frozen=True, tag=True):
    """The saga has ended as its definition wants it."""

    at: int
    end: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The saga has ended otherwise: a step failed for good, or the final event means failure."""

    at: int
    reason: str
    step: str | None = None
    end: str | None = None


class Cancelled(msgspec.Struct, frozen=True, tag=True):
    """The final event means that the saga was called off."""

    at: int
    end: str


Decision = Started | Completed | Failed | Cancelled
