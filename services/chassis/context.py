"""What a handler is given besides its event."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.chassis.blobs import BlobStore


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


@dataclass(slots=True)
class Context:
    """One delivery, as its handler sees it."""

    saga_id: str
    key: str
    step: str
    attempt: int
    epoch: int
    blobs: BlobStore
    state: KeyedState = field(default_factory=KeyedState)
    traceparent: str | None = None
    is_cancelled: bool = False

    @property
    def idempotency_key(self) -> str:
        """What to give to outside systems, so that doing the same work twice is harmless: saga, step and epoch."""
        return f"{self.saga_id}/{self.step}/{self.epoch}"

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for this handler any more; long handlers look at it now and then."""
        return self.is_cancelled
