"""Where a review goes: a sink posts it and takes it back, and doing either again is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.comments.document import Review


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a review was posted."""

    sink: str
    location: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is taken back, for which saga, and when (UTC)."""

    marker: str
    title: str
    saga_id: str
    at: datetime


class Sink(Protocol):
    """Posts a review under its marker. Raises RetryableError for "not now", TerminalError for "never"."""

    async def post(self, review: Review) -> Receipt:
        """Post `review`; a review with the same marker that is already there is replaced by the same content.

        Raises TerminalError if the review was withdrawn before: whoever posts it now came too late.
        """
        ...

    async def withdraw(self, receipt: Receipt, withdrawal: Withdrawal) -> str:
        """Take back what of `receipt` bears the marker, leave a note why, and say in a sentence what was done."""
        ...
