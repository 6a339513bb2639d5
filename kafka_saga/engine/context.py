"""What a handler is given besides its event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from kafka_saga.engine.blob_store import BlobStore


@dataclass(slots=True)
class KeyedState:
    """A few bytes that a step keeps per business key, committed together with the outcome of who set them."""

    value: bytes | None = None
    changed: bool = False

    def get(self) -> bytes | None:
        """What was last committed for this key, or set by this handler."""
        return self.value

    def set(self, value: bytes | None) -> None:
        """Keep `value` for this key (none: forget); dropped if the handler fails."""
        self.value, self.changed = value, True


class Noted(NamedTuple):
    """How far a handler says it is."""

    done: int | None = None
    total: int | None = None
    note: str = ""


MOST = 2**53
"""The largest count in a report."""


@dataclass(slots=True)
class Context:
    """One delivery, as its handler sees it. `compensating`: it is to undo what the step has done."""

    saga_id: str
    key: str
    step: str
    attempt: int
    epoch: int
    blobs: BlobStore
    state: KeyedState = field(default_factory=KeyedState)
    traceparent: str | None = None
    is_cancelled: bool = False
    compensating: bool = False
    started_at: int = 0
    noted: Noted = Noted()
    tell: Callable[[Noted], None] | None = None

    @property
    def idempotency_key(self) -> str:
        """What to give to outside systems, so that doing the same work twice is harmless: saga, step and epoch."""
        step = f"{self.step}.compensate" if self.compensating else self.step
        return f"{self.saga_id}/{step}/{self.epoch}"

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for this handler any more; long handlers look at it now and then.

        It does not reach a child process: a heavy handler whose saga is cancelled goes on, or is killed
        (`on_cancel=INTERRUPT`).
        """
        return self.is_cancelled

    def progress(self, done: int | None = None, total: int | None = None, note: str = "") -> None:
        """Say how far this handler is; reported after a second, then every 10 s, so it may be called at any rate.

        From any thread. Raises TypeError or ValueError if a count is no number.
        """
        self.noted = Noted(_count(done), _count(total), str(note))
        if self.tell is not None:
            self.tell(self.noted)


def _count(number: int | None) -> int | None:
    return None if number is None else max(0, min(int(number), MOST))
