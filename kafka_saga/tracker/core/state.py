"""The correlated view of one saga: what is known, by reference, never by payload. All times are milliseconds UTC.

This is also the value of `saga.state`, as JSON: readable by any Kafka tool, and the tracker's own changelog.

A version of this package that adds a field, with a default that means "as before", raises FORMAT. Earlier versions
read its states, and keep what they do not know when they write them again. Where they would do harm so, or where a
field gets another meaning or a new value, it raises `min_reader` of the states concerned, too: earlier ones leave
these alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from kafka_saga.events.commands import fingerprint
from kafka_saga.statuses import StepStatus as StepStatus  # noqa: PLC0414  # what a state is made of is asked for here
from kafka_saga.tracker.core.unknown_fields import with_unknown
from kafka_saga.wire.ids import key_of

FORMAT = 1
"""The format of the states that this version writes; those that do not say theirs have the first."""


class SagaStatus(StrEnum):
    """How a saga stands as a whole."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected."""
        return self in _FINAL


_FINAL = frozenset({SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.CANCELLED})


class EventRef(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where an event lies (in the saga's partition of its topic), and what caused it.

    `at` is its log time, never before its cause's (brokers' clocks differ); `depth` counts causes back to the start.
    `command` is the tracker's, if the delivery that led to it was one. `spent`: what it has triggered is forgotten, it
    is kept because it may have to be undone.
    """

    id: str
    type: str
    offset: int
    at: int
    depth: int = 0
    cause: str | None = None
    step: str | None = None
    attempt: int = 1
    epoch: int = 0
    command: str | None = None
    spent: bool = False


class ReportRef(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A terminal report about a delivery: it failed, was parked, or was skipped. `cause` is the event it is about."""

    id: str
    step: str
    cause: str
    kind: str
    reason: str
    offset: int
    at: int
    attempt: int = 1
    epoch: int = 0
    retryable: bool = False
    retry_after: int = 0
    code: str = ""
    command: str | None = None


class Progress(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The last that a running handler has told."""

    step: str
    cause: str
    command: str | None
    at: int
    offset: int
    started_at: int
    done: int | None = None
    total: int | None = None
    note: str = ""


class Sent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A command of the tracker to a step: `about` is the trigger to run again, or the outcome to undo.

    `fresh`: attempts are counted anew from here on, since a person or a new epoch asks for it.
    """

    id: str
    step: str
    about: str
    at: int
    attempt: int = 1
    epoch: int = 0
    undoes: bool = False
    fresh: bool = False


class Run(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One time that a step was triggered, and how that ended: by an outcome (its event type), or an error.

    `about` is the trigger's id. `live`: a delivery of it is out and has not ended. `retry_at`: when the next attempt
    is due (pauses not counted); `last`: the attempt after which there is none.
    """

    about: str
    at: int
    status: StepStatus = StepStatus.QUEUED
    attempt: int = 1
    epoch: int = 0
    outcome: str | None = None
    ended_at: int | None = None
    error: str | None = None
    code: str = ""
    retry_at: int | None = None
    live: bool = False
    last: int = 0


class StepState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One step: its status, since when, and its runs, the latest last (a step in a loop has several)."""

    name: str
    status: StepStatus = StepStatus.WAITING
    attempt: int = 0
    epoch: int = 0
    since: int | None = None
    error: str | None = None
    runs: tuple[Run, ...] = ()


class PendingCommand(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A person's command that waits for its ruling."""

    id: str
    command: str
    author: str
    at: int
    offset: int
    reason: str = ""
    step: str | None = None
    outcome: str | None = None
    content: str | None = None

    @property
    def fingerprint(self) -> str:
        """By which it is told from another command under the same id."""
        return fingerprint(self.command, self.author, self.reason, self.step, self.outcome, self.content)


class Pause(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A time in which the saga stands still: `scope` is `saga` or the prefix it matches; `until` none: it lasts."""

    scope: str
    by: str
    reason: str
    at: int
    until: int | None = None


class Fired(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A deadline that has passed: of a step's run, or of the saga if `about` is empty."""

    about: str
    step: str
    epoch: int
    at: int


class Goal(StrEnum):
    """Where undoing leads: to a final status, or back to work."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    REDO = "redo"


class Redo(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What follows when a redrive, rewind or skip has settled: run `step` again, or give it this outcome."""

    step: str
    about: str
    outcome: str | None = None
    content: str | None = None


class Undo(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is going on when steps no longer count: first settling, then undoing, then the end or the redo.

    `steps` no longer count as they are. `settled_at`, `ended_at`: when settling and everything was over.
    """

    goal: Goal
    reason: str
    at: int
    epoch: int
    steps: tuple[str, ...]
    step: str | None = None
    end: str | None = None
    redo: Redo | None = None
    settled_at: int | None = None
    ended_at: int | None = None


class Incident(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something that only a person can decide, with the commands that can solve it."""

    id: str
    kind: str
    step: str | None
    reason: str
    at: int
    commands: tuple[str, ...] = ()


class Superseder(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A saga of the same key that started later."""

    saga_id: str
    at: int
    offset: int


class Unmatched(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record that changes nothing, and why: kept, so that nothing disappears without a trace."""

    type: str
    topic: str
    offset: int
    at: int
    why: str


class SagaState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One saga. `revision` grows by one with every record that was folded in and every ruling.

    First what is known (events, reports, commands), then what the tracker has done, then what follows from both.
    `answered` are the ids of the last commands, each with its fingerprint. `format` is that of the latest version that
    has written it, `min_reader` the lowest FORMAT that may read it; `as_read` is its record, if of a later format.
    """

    saga_id: str
    definition: str
    version: int
    partition: int
    hash: str = ""
    status: SagaStatus = SagaStatus.UNKNOWN
    revision: int = 0
    started_at: int | None = None
    updated_at: int = 0
    ended_at: int | None = None
    end: str | None = None
    error: str | None = None
    traceparent: str | None = None
    steps: tuple[StepState, ...] = ()
    events: tuple[EventRef, ...] = ()
    reports: tuple[ReportRef, ...] = ()
    held_events: tuple[EventRef, ...] = ()
    held_reports: tuple[ReportRef, ...] = ()
    progress: tuple[Progress, ...] = ()
    asked: tuple[PendingCommand, ...] = ()
    answered: dict[str, str] = {}
    rival: Superseder | None = None
    sent: tuple[Sent, ...] = ()
    pauses: tuple[Pause, ...] = ()
    fired: tuple[Fired, ...] = ()
    waived: tuple[str, ...] = ()
    floors: dict[str, int] = {}
    epoch: int = 0
    undo: Undo | None = None
    incidents: tuple[Incident, ...] = ()
    due: int | None = None
    unmatched: tuple[Unmatched, ...] = ()
    forgotten: int = 0
    format: int = 1
    min_reader: int = 1
    as_read: bytes = b""

    @property
    def key(self) -> str:
        """The business key."""
        return key_of(self.saga_id)

    def step(self, name: str) -> StepState:
        """One step. Raises KeyError if the definition has none of that name."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


IDENTITIES: Mapping[type[msgspec.Struct], tuple[str, ...]] = {
    StepState: ("name",), Run: ("about",), EventRef: ("id",), ReportRef: ("id",), Progress: ("step", "cause"),
    Sent: ("id",), PendingCommand: ("id",), Pause: ("scope", "at"), Fired: ("about", "step", "epoch"),
    Undo: ("at", "epoch"),
    Redo: ("step", "about"), Incident: ("id",), Superseder: ("saga_id",), Unmatched: ("topic", "offset"),
}  # fmt: skip
"""By which fields a record in a state is the same in the state that follows."""


class NewerFormatError(msgspec.DecodeError):
    """A state that only later versions of this package can read."""


class _Format(msgspec.Struct, frozen=True, gc=False):
    format: int = 1
    min_reader: int = 1


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SagaState)
_format_decoder = msgspec.json.Decoder(_Format)


def encode(state: SagaState) -> bytes:
    """The state as JSON; of a later format with what only that knows, else in our format."""
    if state.format == FORMAT:
        return _encoder.encode(state)
    if state.format < FORMAT:
        return _encoder.encode(replace(state, format=FORMAT))
    written = msgspec.to_builtins(replace(state, as_read=b""))
    return _encoder.encode(with_unknown(SagaState, msgspec.json.decode(state.as_read), written, IDENTITIES))


def decode(value: bytes) -> SagaState:
    """The state from JSON. Raises msgspec.DecodeError if it is none, NewerFormatError if it is not for this version."""
    try:
        state = _decoder.decode(value)
    except msgspec.ValidationError:
        _refuse_newer(value)
        raise
    if state.format <= FORMAT:
        return state
    _refuse_newer(value)
    return replace(state, as_read=value)


def _refuse_newer(value: bytes) -> None:
    said = _format_decoder.decode(value)
    if said.min_reader > FORMAT:
        raise NewerFormatError(
            f"it has format {said.format}, to be read from format {said.min_reader} on, and this version has format "
            f"{FORMAT}: run the version that wrote it, or a later one"
        )
