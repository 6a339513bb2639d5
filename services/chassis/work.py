"""The values that pass between the runner, the logic of a service, and the shell."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from schemas.envelope import Envelope
from schemas.event import Event
from services.chassis.context import KeyedState
from services.chassis.keyed import Change
from services.chassis.records import Committed, Outgoing, Record, TopicPartition
from topology.model import Step


class Kind(StrEnum):
    """How a consumed record ended; what metrics count by."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    DEAD = "dead"
    NORMALISED = "normalised"
    IGNORED = "ignored"


class Mode(StrEnum):
    """Where a handler runs."""

    INLINE = "inline"
    ASYNC = "async"
    HEAVY = "heavy"


class Job(msgspec.Struct, frozen=True, gc=False):
    """A step with the handler that does it."""

    step: Step
    handler: Callable[..., Any]
    mode: Mode


class Delivery(msgspec.Struct, eq=False):
    """One record that asks a step to run.

    Of one `lane` (the saga's business key, in its partition) one delivery is worked on at a time.
    """

    record: Record
    envelope: Envelope
    job: Job
    lane: tuple[int, bytes]
    state: KeyedState | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.record.place


def delivery_of(record: Record, envelope: Envelope, job: Job) -> Delivery:
    """The delivery that a record asks for."""
    return Delivery(record, envelope, job, (record.partition, record.key or b""))


class Ended(msgspec.Struct, eq=False):
    """A consumed record with everything that it led to; committed in one transaction."""

    record: Record
    kind: Kind
    outgoing: list[Outgoing]
    changes: tuple[Change, ...] = ()
    reason: str = ""
    job: Job | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.record.place


class Start(msgspec.Struct, frozen=True, gc=False):
    """Effect: run the handler of this delivery with its event."""

    delivery: Delivery
    event: Event


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Effect: nobody waits for this delivery's handler any more."""

    delivery: Delivery


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Effect: take no further records of this partition."""

    at: TopicPartition


class Resume(msgspec.Struct, frozen=True, gc=False):
    """Effect: take records of this partition again."""

    at: TopicPartition


Effect = Cancel | Pause | Resume


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Effect: commit this, records, changelogs and offsets together."""

    ended: list[Ended]
    outgoing: list[Outgoing]
    changelog: list[tuple[Change, Outgoing]]
    offsets: dict[TopicPartition, Committed]


class Returned(NamedTuple):
    """A handler's result: what it returned."""

    value: object


class Raised(NamedTuple):
    """A handler's result: the exception it ended with, and a trimmed traceback if it was not foreseen.

    `kind` names the exception's type where the exception itself could not travel here from a child process.
    """

    error: BaseException
    traceback: str = ""
    kind: str = ""


class TimedOut(NamedTuple):
    """A handler's result: it was stopped after its step's timeout, in seconds."""

    seconds: float


class Died(NamedTuple):
    """A handler's result: its child process ended, with this exit code."""

    exitcode: int


Result = Returned | Raised | TimedOut | Died
