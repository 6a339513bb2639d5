"""What a saga definition is: pure data, frozen, with a name, a version and a content hash.

A definition says what each step consumes and emits, how it is retried and bounded, and which events end the
saga. It says nothing about code: handlers are named by the service that owns a step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from schemas.event import Event
from topology.durations import days, minutes, seconds

EventType = type[Event]


class EndStatus(StrEnum):
    """What a final event makes of its saga."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


COMPLETED, FAILED, CANCELLED = EndStatus.COMPLETED, EndStatus.FAILED, EndStatus.CANCELLED


class OnFailure(StrEnum):
    """What follows a step that failed for good."""

    COMPENSATE = "compensate"
    INCIDENT = "incident"


class OnCancel(StrEnum):
    """What a cancelled saga does to a running handler of a step."""

    FINISH = "finish"
    INTERRUPT = "interrupt"


class OnConflict(StrEnum):
    """What happens when a saga starts for a key that has one running."""

    ALLOW = "allow"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed attempt is followed by the next: delays grow from `first` by `factor` up to `max_delay`."""

    attempts: int = 5
    first: timedelta = seconds(1)
    factor: float = 2.0
    max_delay: timedelta = seconds(60)
    jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work: triggered by an event, ended by one of its outcomes.

    `emits` are the outcomes of which exactly one ends the step; `also` are by-products that may accompany it.
    `timeout` bounds one attempt, `deadline` the whole step from trigger to outcome (none: unbounded). One that
    `compensates` can undo its outcome; attempts at that follow `compensation_retry`.
    """

    name: str
    on: EventType
    emits: tuple[EventType, ...]
    also: tuple[EventType, ...] = ()
    timeout: timedelta = minutes(5)
    deadline: timedelta | None = None
    retry: Retry = Retry()
    compensates: bool = False
    compensation_retry: Retry = Retry()
    on_cancel: OnCancel = OnCancel.FINISH

    @property
    def compensated_type(self) -> str:
        """The event type that a finished compensation emits."""
        return f"{self.name}.compensated"

    @property
    def work_topic(self) -> str:
        """The topic of the tracker's commands to this step."""
        return f"{self.name}.work"


@dataclass(frozen=True)
class Saga:
    """A saga definition. `key` and `run` are templates over the fields of the first event."""

    name: str
    version: int
    starts_on: EventType
    key: str
    run: str
    steps: tuple[Step, ...]
    ends: Mapping[EventType, EndStatus]
    deadline: timedelta | None = days(7)
    on_failure: OnFailure = OnFailure.INCIDENT
    on_conflict: OnConflict = OnConflict.ALLOW
    settle_timeout: timedelta = minutes(5)
    keep_finished: timedelta = days(7)
    description: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.ends, Mapping):  # what it is not is for the linter to say
            object.__setattr__(self, "ends", MappingProxyType(dict(self.ends)))

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    @cached_property
    def events(self) -> Mapping[str, EventType]:
        """Every event type that the definition names, by its type, in the order of the diagram."""
        return {event.event_type: event for event in self._event_types()}

    @cached_property
    def steps_by_name(self) -> Mapping[str, Step]:
        """The steps by name."""
        return {step.name: step for step in self.steps}

    @cached_property
    def triggered_by(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps that an event type triggers, by event type."""
        return {event: tuple(step for step in self.steps if step.on.event_type == event) for event in self.events}

    @cached_property
    def ends_by_type(self) -> Mapping[str, EndStatus]:
        """The status that a final event gives, by event type."""
        return {event.event_type: status for event, status in self.ends.items()}

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex, 16 characters) of everything the definition decides."""
        text = json.dumps(self.describe(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def describe(self) -> dict[str, object]:
        """The definition as plain JSON values: event types by name, durations in seconds."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self) if item.compare}

    def _event_types(self) -> Iterator[EventType]:
        yield self.starts_on
        for step in self.steps:
            yield from (step.on, *step.emits, *step.also)
        yield from self.ends


def _plain(value: object) -> object:
    match value:
        case timedelta():
            return value.total_seconds()
        case type() if issubclass(value, Event):
            return value.event_type
        case Mapping():
            return {str(_plain(k)): _plain(v) for k, v in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case Step() | Retry():
            return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
        case StrEnum():
            return value.value
        case _:
            return value
