"""The values that pass between the runner, the roles of a service, and the shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import msgspec

from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.definition.model import Step
from kafka_saga.engine.context import Context, KeyedState
from kafka_saga.engine.state_store import Change
from kafka_saga.events.event import Event
from kafka_saga.wire.envelope import Envelope
from kafka_saga.wire.step_commands import RecordReference


class Kind(StrEnum):
    """How a consumed record ended; what metrics count by."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    PARKED = "parked"
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


class Command(msgspec.Struct, frozen=True, gc=False):
    """What a work record asks for: to run a step again, or to undo it, with the event that lies at `reference`."""

    id: str
    compensates: bool
    reference: RecordReference
    revision: int = 0


class Missing(NamedTuple):
    """What was found in place of a referenced record, as a sentence; `for_good` if it will never be there."""

    reason: str
    for_good: bool = True


class Delivery(msgspec.Struct, eq=False):
    """One record that asks a step to run; its `envelope` is that of the event that caused it.

    Of one `lane` (the saga's business key, in its partition) one delivery is worked on at a time. The event of a
    delivery with a `command` lies elsewhere: its `cause`, once it has been read. `disturbed` says why nobody wants
    this any more, `report_at` when progress is due. Its handler `began` at a monotonic time and `took` so many seconds
    (less than none: it has not run); `spans` are tracing's. Deliveries are equal if they are the same object.
    """

    record: Record
    envelope: Envelope
    job: Job
    lane: tuple[int, bytes]
    state: KeyedState | None = None
    command: Command | None = None
    cause: Record | Missing | None = None
    context: Context | None = None
    disturbed: str = ""
    report_at: int = 0
    began: float = 0.0
    took: float = -1.0
    spans: object | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.record.place


def delivery_of(record: Record, envelope: Envelope, job: Job, command: Command | None = None) -> Delivery:
    """The delivery that a record asks for."""
    return Delivery(record, envelope, job, (record.partition, record.key or b""), command=command)


class Ended(msgspec.Struct, eq=False):
    """A consumed record with everything that it led to; committed in one transaction.

    If a handler has run, it `took` so many seconds, and left `spans` if it was traced.
    """

    record: Record
    kind: Kind
    outgoing: list[Outgoing]
    changes: tuple[Change, ...] = ()
    reason: str = ""
    job: Job | None = None
    took: float = -1.0
    spans: object | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset."""
        return self.record.place

    @property
    def number(self) -> int:
        """The number of its task."""
        return self.record.partition

    @property
    def where(self) -> str:
        """The place of the record, as people write it."""
        return self.record.where


class Write(msgspec.Struct, eq=False):
    """What a task leads to without a record of its own (a decision, a progress report); fenced by its offsets."""

    number: int
    outgoing: Sequence[Outgoing]
    changes: tuple[Change, ...] = ()

    @property
    def where(self) -> str:
        """What it is, as people write it."""
        return f"what was made for partition {self.number} ({', '.join(record.topic for record in self.outgoing)})"


class CommitRequest(msgspec.Struct, eq=False):
    """A task asks for a commit of its offsets though nothing of it has ended, so that the log says what it works on."""

    outgoing: ClassVar[Sequence[Outgoing]] = ()
    changes: ClassVar[tuple[Change, ...]] = ()

    number: int

    @property
    def where(self) -> str:
        """What it is, as people write it."""
        return f"the commit that was asked for in partition {self.number}"


Pending = Ended | Write | CommitRequest
"""What waits for its transaction."""


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


class ControlUpdate(NamedTuple):
    """What follows from a record of control: the topics that stand still in its partition, and no others.

    `goes_on`: a person lets the service go on with what stands still for its dead letters.
    """

    still: frozenset[str] = frozenset()
    goes_on: bool = False


class Wait(msgspec.Struct, frozen=True, gc=False):
    """A delivery does not start before control says something else; others of its key go first."""


class Fetch(msgspec.Struct, frozen=True, gc=False):
    """Effect: read the record that this delivery's command refers to."""

    delivery: Delivery


class Warn(msgspec.Struct, frozen=True, gc=False):
    """Effect: let this delivery's handler know that its saga is cancelled; it goes on."""

    delivery: Delivery


class Interrupt(msgspec.Struct, frozen=True, gc=False):
    """Effect: stop this delivery's handler; its result is that it was, unless it had ended before."""

    delivery: Delivery


Disturbance = Warn | Interrupt
Effect = Cancel | Pause | Resume | Fetch | Disturbance


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Effect: commit this, records, changelogs and offsets together."""

    ended: list[Ended]
    outgoing: list[Outgoing]
    changelog: list[tuple[Change, Outgoing]]
    offsets: dict[TopicPartition, Committed]
    made: list[Write] = []
    requests: list[CommitRequest] = []


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


class Interrupted(NamedTuple):
    """A handler's result: it was stopped because its saga is cancelled, or its epoch is over."""


class Crashed(NamedTuple):
    """In place of a result: so many processes died while they may have been working on it, so it does not run."""

    times: int


Result = Returned | Raised | TimedOut | Died | Interrupted | Crashed
