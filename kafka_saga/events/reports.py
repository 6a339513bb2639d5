"""Reports: what a service tells the tracker about a delivery, on `saga.steps`.

The tracker works from the headers alone; the value holds what a person wants to know besides.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from kafka_saga.events.event import Event

Milliseconds = Annotated[int, Field(ge=0, description="milliseconds")]


class StepFailed(Event):
    """A delivery ended without an outcome. Terminal; whether it is tried again is the tracker's decision."""

    event_type: ClassVar[str] = "step.failed"

    step: str
    reason: str
    code: Annotated[
        str, Field(description="retryable, terminal, unexpected, timeout, crashed, undecodable, missing_reference")
    ]
    retryable: bool
    retry_after_ms: Milliseconds | None = None
    traceback: str = ""


class StepSkipped(Event):
    """A delivery was not worked on. Terminal."""

    event_type: ClassVar[str] = "step.skipped"

    step: str
    reason: str
    code: Annotated[str, Field(description="duplicate_start, cancelled, superseded (an older epoch), interrupted")]


class StepParked(Event):
    """A delivery was not worked on, since its saga is paused; the tracker asks again at the resume. Terminal."""

    event_type: ClassVar[str] = "step.parked"

    step: str
    reason: str


class StepProgress(Event):
    """A handler runs, and how far it is. Not terminal."""

    event_type: ClassVar[str] = "step.progress"

    step: str
    started_at: Annotated[int, Field(description="milliseconds since the epoch, UTC, by the service's clock")]
    done: int | None = None
    total: int | None = None
    note: str = ""


REPORTS: tuple[type[Event], ...] = (StepFailed, StepSkipped, StepParked, StepProgress)
