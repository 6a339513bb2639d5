"""What a record tells about a saga, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.envelope import Envelope, from_mapping
from schemas.errors import DecodeError
from topology.topics import SAGA_STEPS

Headers = Mapping[str, bytes | None]


class EventFact(msgspec.Struct, frozen=True, gc=False):
    """An event of a saga is on the log."""

    envelope: Envelope
    partition: int
    offset: int
    at: int


class ReportFact(msgspec.Struct, frozen=True, gc=False):
    """A delivery has ended without an outcome; `kind` is `step.failed` or `step.skipped`."""

    envelope: Envelope
    partition: int
    offset: int
    at: int
    reason: str
    retryable: bool


Fact = EventFact | ReportFact


def fact_of(topic: str, partition: int, offset: int, at: int, key: bytes | None, headers: Headers) -> Fact | None:
    """The fact in a record, none if it says nothing about a saga (a raw start, or what services dead-letter).

    `at` is log append time, milliseconds UTC.
    """
    try:
        envelope = from_mapping(headers)
    except DecodeError:
        return None
    if key is None or not envelope.subject.startswith(key.decode(errors="replace") + "@"):
        return None
    if topic == SAGA_STEPS:
        reason = (headers.get("ce_reason") or b"").decode(errors="replace")
        return ReportFact(envelope, partition, offset, at, reason, headers.get("ce_retryable") == b"true")
    return EventFact(envelope, partition, offset, at) if envelope.type == topic else None
