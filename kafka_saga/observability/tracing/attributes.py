"""What spans say of records: OpenTelemetry's semantic conventions for messaging, and `saga.*`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.engine.work import Job
from kafka_saga.wire.step_commands import COMPENSATE

Attributes = dict[str, str | int | float | bool]
Headers = Mapping[str, bytes | None]

TEXTS = {"ce_subject": "saga.id", "ce_sagadefinition": "saga.definition"}
COUNTERS = {"ce_sagaversion": "saga.version", "ce_epoch": "saga.epoch"}

OF_EFFECTS = {"ce_step": "saga.step"}
"""The step that wrote a record, or that a command is for; the one that works on the record may be another."""


def of_record(record: Record, headers: Headers, group: str) -> Attributes:
    """The record that is worked on."""
    return {
        **_of_message(record.topic, record.partition, headers, "process"),
        "messaging.kafka.offset": record.offset,
        "messaging.consumer.group.name": group,
    }


def of_outgoing(record: Outgoing, headers: Headers) -> Attributes:
    """A record that was written."""
    return _of_message(record.topic, record.partition, headers, "send") | _found(headers, OF_EFFECTS)


def of_work(record: Record, headers: Headers, job: Job) -> Attributes:
    """What a record asks of a step; a trigger asks for the first attempt, whatever attempt has led to it."""
    attempt = text(headers, "ce_attempt") if record.topic == job.step.work_topic else ""
    return {
        **_of_saga(headers),
        "saga.step": job.step.name,
        "saga.attempt": int(attempt) if attempt.isdecimal() else 1,
        "saga.compensating": text(headers, "ce_type") == COMPENSATE,
    }


def text(headers: Headers, name: str) -> str:
    """A header as text; empty if there is none."""
    return (headers.get(name) or b"").decode(errors="replace")


def _of_message(topic: str, partition: int, headers: Headers, operation: str) -> Attributes:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        **_found(headers, {"ce_id": "messaging.message.id"}),
        **_of_saga(headers),
    }


def _of_saga(headers: Headers) -> Attributes:
    counters = {name: int(value) for header, name in COUNTERS.items() if (value := text(headers, header)).isdecimal()}
    return {**_found(headers, TEXTS), **counters}


def _found(headers: Headers, names: Mapping[str, str]) -> Attributes:
    return {name: text(headers, header) for header, name in names.items() if headers.get(header)}
