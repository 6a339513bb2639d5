"""The lifecycle of sagas, on `saga.lifecycle`: what the tracker has seen and decided, for whoever wants to react."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from kafka_saga.events.event import Event

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
    """A saga was called off: by a command, by a later one of its key, or by a final event that means it."""

    event_type: ClassVar[str] = "saga.cancelled"

    end: Annotated[str, Field(description="the final event's type; empty if there was none")]
    duration_ms: Annotated[int, Field(description="milliseconds from the first event to the last")]
    reason: str = ""


class Ruling(Lifecycle):
    """A decision that depended on what had not arrived: what the tracker had read when it was made.

    `revision` is the saga's before the decision, `read` the next offset per input of the saga's partition. All rulings
    of one moment have the same revision: by the first of them a replay rules where it was done.
    """

    revision: int
    until: Annotated[int, Field(description="everything of log time before this was read (milliseconds UTC)")]
    read: Annotated[dict[str, int], Field(description="next offset by topic")]


class SagaRuled(Ruling):
    """The tracker has ruled about a saga, and no other event tells of it: a retry was sent, a command obeyed."""

    event_type: ClassVar[str] = "saga.ruled"


class DeadlinePassed(Ruling):
    """A step (or the saga, if none is named) has not ended in the time that its definition gives it."""

    event_type: ClassVar[str] = "saga.timed_out"

    step: str | None = None
    epoch: int
    deadline_ms: Annotated[int, Field(description="milliseconds from trigger to outcome, pauses not counted")]


class RetryScheduled(Lifecycle):
    """A failed attempt will be followed by another: at a step, or at undoing it."""

    event_type: ClassVar[str] = "saga.retry_scheduled"

    step: str
    attempt: Annotated[int, Field(description="the attempt to come, from 1 (the first of all)")]
    due: Annotated[int, Field(description="when it starts, if no pause puts it off (milliseconds UTC)")]
    reason: Annotated[str, Field(description="why the last attempt failed")]
    is_compensation: Annotated[bool, Field(description="whether the attempt undoes the step")] = False


class SagaUndoing(Ruling):
    """A saga fails, is cancelled, or goes back: what runs may end, then what is done is undone, last step first."""

    event_type: ClassVar[str] = "saga.compensating"

    goal: Annotated[str, Field(description="failed, cancelled, or redo (redrive, rewind, skip)")]
    reason: str
    epoch: int
    steps: Annotated[tuple[str, ...], Field(description="the steps that no longer count as they are")]


class SagaCompensated(Ruling):
    """All that was done and can be undone is undone."""

    event_type: ClassVar[str] = "saga.compensated"

    steps: Annotated[tuple[str, ...], Field(description="the steps undone, in the order in which they were undone")]


class SagaPaused(Lifecycle):
    """Nothing of the saga runs or starts until it is resumed."""

    event_type: ClassVar[str] = "saga.paused"

    by: Annotated[str, Field(description="who asked for the pause")]
    reason: str


class SagaResumed(Lifecycle):
    """The last pause of the saga is over: it goes on, with the time that it had left."""

    event_type: ClassVar[str] = "saga.resumed"

    by: Annotated[str, Field(description="who asked for that; empty if nobody did")]
    reason: str


class IncidentRaised(Ruling):
    """Only a person can decide how the saga goes on."""

    event_type: ClassVar[str] = "saga.incident_raised"

    incident: Annotated[str, Field(description="what tells the incident from others of its saga")]
    kind: str
    step: str | None = None
    reason: str
    commands: Annotated[tuple[str, ...], Field(description="the commands that can solve it")]


class IncidentSolved(Lifecycle):
    """An incident is no more."""

    event_type: ClassVar[str] = "saga.incident_solved"

    incident: str
    how: str


class LateOutcome(Lifecycle):
    """A step has ended when its saga no longer counted on it."""

    event_type: ClassVar[str] = "saga.late_outcome"

    step: str
    outcome: str
    is_compensated: Annotated[bool, Field(description="whether it will be undone")]


class CommandAccepted(Lifecycle):
    """A command applies."""

    event_type: ClassVar[str] = "saga.command_accepted"

    command_id: str
    command: str
    author: str
    reason: str


class CommandRefused(Lifecycle):
    """A command does not apply, and why; it changes nothing."""

    event_type: ClassVar[str] = "saga.command_refused"

    command_id: str
    command: str
    author: str
    reason: Annotated[str, Field(description="what the author said")]
    why: Annotated[str, Field(description="why it is refused")]


LIFECYCLE: tuple[type[Event], ...] = (
    SagaStarted,
    SagaCompleted,
    SagaFailed,
    SagaCancelled,
    SagaRuled,
    DeadlinePassed,
    RetryScheduled,
    SagaUndoing,
    SagaCompensated,
    SagaPaused,
    SagaResumed,
    IncidentRaised,
    IncidentSolved,
    LateOutcome,
    CommandAccepted,
    CommandRefused,
)
