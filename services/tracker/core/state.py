"""The correlated view of one saga: what is known, by reference, never by payload. All times are milliseconds UTC.

This is also the value of `saga.state`, as JSON: readable by any Kafka tool, and the tracker's own changelog.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from schemas.events.commands import fingerprint
from schemas.ids import key_of


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


class StepStatus(StrEnum):
    """How a step stands.

    `skipped` is one that will never run, because the saga went another way or has ended; `running` is known of
    handlers that report progress, others are `queued` until they end.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"

    @property
    def is_open(self) -> bool:
        """Whether the step has been asked for and has neither ended nor failed for good."""
        return self in _OPEN

    @property
    def is_current(self) -> bool:
        """Whether a saga stands at a step of this status: it is open, has failed, or is being undone."""
        return self in _CURRENT

    @property
    def is_at_service(self) -> bool:
        """Whether a service has been asked to do the step, or to undo it, and has not answered."""
        return self in _AT_SERVICE


_OPEN = frozenset({StepStatus.QUEUED, StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.PARKED})
_CURRENT = _OPEN | {StepStatus.FAILED, StepStatus.COMPENSATING}
_AT_SERVICE = frozenset({StepStatus.QUEUED, StepStatus.RUNNING, StepStatus.COMPENSATING})


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


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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


class Rival(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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
    `answered` are the ids of the last commands, each with its fingerprint.
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
    asked: tuple[Asked, ...] = ()
    answered: dict[str, str] = {}
    rival: Rival | None = None
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


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SagaState)


def encode(state: SagaState) -> bytes:
    """The state as JSON."""
    return _encoder.encode(state)


def decode(value: bytes) -> SagaState:
    """The state from JSON. Raises msgspec.DecodeError if it is none."""
    return _decoder.decode(value)
