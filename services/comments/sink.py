"""Where a review goes: a sink posts it, and posting the same review again is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.comments.document import Review


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a review was posted."""

    sink: str
    location: str
    files: tuple[str, ...]


class Sink(Protocol):
    """Posts a review under its marker. Raises RetryableError for "not now", TerminalError for "never"."""

    async def post(self, review: Review) -> Receipt:
        """Post `review`; a review with the same marker that is already there is replaced by the same content."""
        ...
