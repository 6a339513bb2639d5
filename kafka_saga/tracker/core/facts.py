"""What a record tells about a saga, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.errors import DecodeError
from kafka_saga.events.commands import SagaCommand
from kafka_saga.events.reports import StepProgress
from kafka_saga.wire.envelope import Envelope, from_mapping
from kafka_saga.wire.ids import key_of
from kafka_saga.wire.step_commands import COMMAND

Headers = Mapping[str, bytes | None]


class EventFact(msgspec.Struct, frozen=True, gc=False):
    """An event of a saga is on the log."""

    envelope: Envelope
    partition: int
    offset: int
    at: int
    command: str | None = None


class ReportFact(msgspec.Struct, frozen=True, gc=False):
    """A delivery has ended without an outcome: `step.failed`, `step.parked` or `step.skipped`."""

    envelope: Envelope
    partition: int
    offset: int
    at: int
    reason: str
    retryable: bool
    retry_after: int = 0
    code: str = ""
    command: str | None = None


class ProgressFact(msgspec.Struct, frozen=True, gc=False):
    """A handler runs."""

    envelope: Envelope
    partition: int
    offset: int
    at: int
    started_at: int
    done: int | None = None
    total: int | None = None
    note: str = ""
    command: str | None = None


class CommandFact(msgspec.Struct, frozen=True, gc=False):
    """A person asks for something about this saga."""

    id: str
    saga_id: str
    partition: int
    offset: int
    at: int
    command: SagaCommand


class SupersederFact(msgspec.Struct, frozen=True, gc=False):
    """A saga of the same key, `rival`, has started later than `saga_id`: offset and time are its start's."""

    saga_id: str
    partition: int
    offset: int
    at: int
    rival: str


Fact = EventFact | ReportFact | ProgressFact | CommandFact | SupersederFact


Told = EventFact | ReportFact | ProgressFact
"""What events and reports tell."""


def fact_of(topic: str, partition: int, offset: int, at: int, key: bytes | None, headers: Headers) -> Told | None:
    """The fact in a record, none if it says nothing about a saga (a raw start, or what services dead-letter).

    `at` is log append time, milliseconds UTC.
    """
    try:
        envelope = from_mapping(headers)
    except DecodeError:
        return None
    if key_of(envelope.subject).encode() != key:
        return None
    command = _text(headers, COMMAND) or None
    if topic != SAGA_STEPS:
        return EventFact(envelope, partition, offset, at, command) if envelope.type == topic else None
    if envelope.type == StepProgress.event_type:
        begun, done, total = (_number(headers, name) for name in ("ce_startedat", "ce_done", "ce_total"))
        return ProgressFact(
            envelope, partition, offset, at, begun or at, done, total, _text(headers, "ce_reason"), command
        )
    return ReportFact(
        envelope,
        partition,
        offset,
        at,
        _text(headers, "ce_reason"),
        headers.get("ce_retryable") == b"true",
        _number(headers, "ce_retryafterms") or 0,
        _text(headers, "ce_code"),
        command,
    )


def _text(headers: Headers, name: str) -> str:
    return (headers.get(name) or b"").decode(errors="replace")


def _number(headers: Headers, name: str) -> int | None:
    value = headers.get(name) or b""
    return int(value) if value.isdigit() and len(value) < 16 else None
