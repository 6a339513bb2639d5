"""The correlated view of one saga: what is known, by reference, never by payload. All times are milliseconds UTC.

This is also the value of `saga.state`, as JSON: readable by any Kafka tool, and the tracker's own changelog.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SagaStatus(StrEnum):
    """How a saga stands as a whole."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected."""
        return self in _FINAL


_FINAL = frozenset({SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.CANCELLED})


class StepStatus(StrEnum):
    """How a step stands; `skipped` is one that will never run, because the saga went another way or has ended."""

    WAITING = "waiting"
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class EventRef(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where an event lies (in the saga's partition of its topic), and what caused it.

    `at` is its log time, never before its cause's (brokers' clocks differ); `depth` counts causes back to the start.
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


class ReportRef(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A terminal report about a delivery: it failed, or was skipped."""

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


class Run(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One time that a step was triggered, and how that ended: by an outcome (its event type), or an error."""

    at: int
    attempt: int = 1
    epoch: int = 0
    outcome: str | None = None
    ended_at: int | None = None
    error: str | None = None
    retryable: bool = False

    @property
    def status(self) -> StepStatus:
        """An outcome counts, whatever was reported before it."""
        if self.outcome is not None:
            return StepStatus.DONE
        return StepStatus.QUEUED if self.error is None else StepStatus.FAILED


class StepState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One step: its status, since when, and its runs, the latest last (a step in a loop has several)."""

    name: str
    status: StepStatus = StepStatus.WAITING
    attempt: int = 0
    epoch: int = 0
    since: int | None = None
    error: str | None = None
    runs: tuple[Run, ...] = ()


class Unmatched(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record that changes nothing, and why: kept, so that nothing disappears without a trace."""

    type: str
    topic: str
    offset: int
    at: int
    why: str


class SagaState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One saga. `revision` grows by one with every record that was folded in."""

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
    unmatched: tuple[Unmatched, ...] = ()
    forgotten: int = 0

    @property
    def key(self) -> str:
        """The business key."""
        return self.saga_id.rpartition("@")[0]

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
