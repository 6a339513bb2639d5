"""The lifecycle of sagas, on `saga.lifecycle`: what the tracker has seen and decided, for whoever wants to react."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.event import Event

MillisecondsUtc = Annotated[int, Field(description="milliseconds since the epoch, UTC, by the broker's clock")]


class Lifecycle(Event):
    """What every lifecycle event says."""

    saga_id: str
    key: str
    definition: str
    version: int
    at: MillisecondsUtc


class SagaStarted(Lifecycle):
    """A saga's first event is on the log."""

    event_type: ClassVar[str] = "saga.started"


class SagaCompleted(Lifecycle):
    """A saga has ended as its definition wants it."""

    event_type: ClassVar[str] = "saga.completed"

    end: Annotated[str, Field(description="the final event's type")]
    duration_ms: Annotated[int, Field(description="milliseconds from the first event to the last")]


class SagaFailed(Lifecycle):
    """A saga has ended otherwise: a step failed for good, or its final event means failure."""

    event_type: ClassVar[str] = "saga.failed"

    reason: str
    step: str | None = None
    end: Annotated[str | None, Field(description="the final event's type, if there was one")] = None
    duration_ms: Annotated[int, Field(description="milliseconds from the first event to the failure")]


class SagaCancelled(Lifecycle):
    """A saga was called off."""

    event_type: ClassVar[str] = "saga.cancelled"

    end: Annotated[str, Field(description="the final event's type")]
    duration_ms: Annotated[int, Field(description="milliseconds from the first event to the last")]


LIFECYCLE: tuple[type[Event], ...] = (SagaStarted, SagaCompleted, SagaFailed, SagaCancelled)
