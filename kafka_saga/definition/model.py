"""What a saga definition is: pure data, frozen, with a name, a version and a content hash.

A definition says what each step consumes and emits, how it is retried and bounded, and which events end the
saga. It says nothing about code: handlers are named by the service that owns a step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from kafka_saga.definition.durations import days, minutes, seconds
from kafka_saga.events.event import Event

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
        """The definition as plain JSON values: event types by name, durations in seconds; no field at its default.

        So a field that is added with a default changes no hash. A default that was released is never changed: it is
        what the descriptions on the log mean that leave it out.
        """
        return _described(self)

    def _event_types(self) -> Iterator[EventType]:
        yield self.starts_on
        for step in self.steps:
            yield from (step.on, *step.emits, *step.also)
        yield from self.ends


def in_full(description: Mapping[str, object]) -> dict[str, object]:
    """A description (`Saga.describe`) with every field that it leaves out, at its default.

    Two that are equal in full mean the same, whichever version of this package made them. What has no steps is no
    description, and stays what it is.
    """
    match description.get("steps"):
        case list(steps):
            in_steps = [_step_in_full(step) if isinstance(step, dict) else step for step in steps]
            return _filled(Saga, {**description, "steps": in_steps})
        case _:
            return dict(description)


def _step_in_full(step: Mapping[str, object]) -> dict[str, object]:
    full = _filled(Step, step)
    retries = {item.name: full[item.name] for item in fields(Step) if isinstance(item.default, Retry)}
    return {**full, **{name: _filled(Retry, said) for name, said in retries.items() if isinstance(said, dict)}}


def _filled(kind: type[Saga | Step | Retry], said: Mapping[str, object]) -> dict[str, object]:
    """What is said of one of these, in the order of its fields; what is not, at its default (`None` if it has none)."""
    defaults = {item.name: None if item.default is MISSING else _plain(item.default) for item in _decisive(kind)}
    return {**defaults, **said}


def _described(value: Saga | Step | Retry) -> dict[str, object]:
    said = {item.name: (getattr(value, item.name), item.default) for item in _decisive(type(value))}
    return {name: _plain(one) for name, (one, default) in said.items() if one != default}


def _decisive(kind: type[Saga | Step | Retry]) -> Iterator[Field[object]]:
    return (item for item in fields(kind) if item.compare)


def latest_versions(definitions: Iterable[Saga]) -> dict[str, Saga]:
    """Of each definition the latest version, by name."""
    return {saga.name: saga for saga in sorted(definitions, key=lambda saga: saga.version)}


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
            return _described(value)
        case StrEnum():
            return value.value
        case _:
            return value
