"""What a delivery leads to on the log: outcomes, reports, dead letters. Pure functions of values."""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.broker.reasons import sound
from kafka_saga.broker.records import Headers, Outgoing, Record
from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_STEPS
from kafka_saga.engine.work import Delivery
from kafka_saga.errors import DecodeError
from kafka_saga.events.event import Event
from kafka_saga.events.reports import StepFailed, StepParked, StepProgress, StepSkipped
from kafka_saga.wire.envelope import Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import child_of, event_id, report_id, trace_parent
from kafka_saga.wire.step_commands import COMMAND

MAX_REASON = 500
"""Characters of a reason in a header; the whole text is in the report's value."""


def outcome(delivery: Delivery, event: Event, value: bytes, index: int, source: str, now: int) -> Outgoing:
    """The record of an event that a step emits; its id depends only on what caused it."""
    record, cause, kind = delivery.record, delivery.envelope, event.event_type
    identity = event_id(cause.id, delivery.job.step.name, kind, index, cause.epoch)
    headers = _effect_headers(delivery, identity, kind, source, now)
    return Outgoing(kind, record.partition, record.key, value, headers)


def failed(delivery: Delivery, report: StepFailed, value: bytes, source: str, now: int) -> Outgoing:
    """The terminal record of a delivery that failed; the tracker decides from its headers what follows."""
    headers = _report_headers(delivery, report.event_type, source, now)
    headers.append(("ce_reason", header_text(report.reason)))
    headers.append(("ce_code", report.code.encode()))
    headers.append(("ce_retryable", b"true" if report.retryable else b"false"))
    if report.retry_after_ms is not None:
        headers.append(("ce_retryafterms", b"%d" % report.retry_after_ms))
    return _report(delivery, value, headers)


def skipped(delivery: Delivery, report: StepSkipped, value: bytes, source: str, now: int) -> Outgoing:
    """The terminal record of a delivery that nobody wants any more."""
    headers = _report_headers(delivery, report.event_type, source, now)
    headers.append(("ce_reason", header_text(report.reason)))
    headers.append(("ce_code", report.code.encode()))
    return _report(delivery, value, headers)


def parked(delivery: Delivery, report: StepParked, value: bytes, source: str, now: int) -> Outgoing:
    """The terminal record of a delivery that has to wait; the tracker asks for it again."""
    headers = _report_headers(delivery, report.event_type, source, now)
    headers.append(("ce_reason", header_text(report.reason)))
    return _report(delivery, value, headers)


def progress(delivery: Delivery, report: StepProgress, value: bytes, source: str, now: int) -> Outgoing:
    """How far a handler is. The time is its sequence: a second run of the same delivery is told from the first."""
    headers = _report_headers(delivery, report.event_type, source, now, sequence=now)
    headers.append(("ce_startedat", b"%d" % report.started_at))
    if report.note:
        headers.append(("ce_reason", header_text(report.note)))
    counts = (("ce_done", report.done), ("ce_total", report.total))
    headers += [(name, b"%d" % count) for name, count in counts if count is not None]
    return _report(delivery, value, headers)


def dead_letter(record: Record, error: DecodeError | str, service: str) -> Outgoing:
    """The record as it was, with the reason and where it lay; in the same partition number."""
    code = error.problem.value if isinstance(error, DecodeError) else "rejected"
    headers: Headers = [
        *((name, value) for name, value in record.headers if not name.startswith("dlq_")),
        ("dlq_reason", header_text(str(error))),
        ("dlq_code", code.encode()),
        ("dlq_topic", record.topic.encode()),
        ("dlq_partition", b"%d" % record.partition),
        ("dlq_offset", b"%d" % record.offset),
        ("dlq_timestamp", b"%d" % record.timestamp),
        ("dlq_service", service.encode()),
    ]
    return Outgoing(DEAD_LETTERS, record.partition, record.key, record.value, headers)


def header_text(text: str) -> bytes:
    """One line of at most 500 characters, UTF-8."""
    line = " ".join(sound(text).split())
    short = line if len(line) <= MAX_REASON else line[: MAX_REASON - 1] + "…"
    return short.encode(errors="replace")


def _report(delivery: Delivery, value: bytes, headers: Headers) -> Outgoing:
    return Outgoing(SAGA_STEPS, delivery.record.partition, delivery.record.key, value, headers)


def _report_headers(delivery: Delivery, kind: str, source: str, now: int, sequence: int = 0) -> Headers:
    record = delivery.record
    identity = report_id(*record.place, delivery.job.step.name, kind, sequence)
    place = f"{record.topic}/{record.partition}/{record.offset}".encode()
    return [*_effect_headers(delivery, identity, kind, source, now), ("ce_delivery", place)]


def _effect_headers(delivery: Delivery, identity: str, kind: str, source: str, now: int) -> Headers:
    """The envelope of an effect; of a command's, also the command."""
    headers = to_headers(_effect(delivery, identity, kind, source, now))
    if delivery.command is not None:
        headers.append((COMMAND, delivery.command.id.encode()))
    return headers


def _effect(delivery: Delivery, identity: str, kind: str, source: str, now: int) -> Envelope:
    """The envelope of what a delivery leads to: saga, attempt and epoch are those of its cause."""
    cause = delivery.envelope
    return Envelope(
        id=identity,
        type=kind,
        source=source,
        time=rfc3339(now),
        subject=cause.subject,
        definition=cause.definition,
        version=cause.version,
        causation_id=cause.id,
        step=delivery.job.step.name,
        attempt=cause.attempt,
        epoch=cause.epoch,
        traceparent=child_of(cause.traceparent or trace_parent(cause.subject, identity), identity),
    )


def as_events(returned: object) -> Sequence[object]:
    """What a handler returned, as a sequence: one event, or a tuple or list of them."""
    return returned if isinstance(returned, tuple | list) else (returned,)
