"""Records as deliveries: what asks a step to run, and whether it is where and what its envelope says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Record
from kafka_saga.definition.model import EventType, Saga
from kafka_saga.engine.work import Command, Delivery, Job, delivery_of
from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.steps.control_gates import KNOWS_NOTHING
from kafka_saga.wire.envelope import Envelope, from_mapping
from kafka_saga.wire.ids import key_of
from kafka_saga.wire.step_commands import (
    COMPENSATE,
    CONTROL_REVISION,
    EXECUTE,
    REFERENCE,
    RecordReference,
    reference_of,
)

NOWHERE = RecordReference("", 0, 0)
"""The reference of a command that names none: it is a dead letter, and reported."""


class Deliveries:
    """The deliveries of a service with these jobs: triggers by their event type, commands by their work topic."""

    def __init__(self, saga: Saga, jobs: Sequence[Job], undoing: Sequence[Job], partitions: int) -> None:
        self._saga = saga
        self._partitions = partitions
        self._triggered = {job.step.on.event_type: job for job in jobs}
        self._commanded = {job.step.work_topic: job for job in jobs}
        self._undoing = {job.step.work_topic: job for job in undoing}
        self.topics: tuple[str, ...] = (*self._triggered, *self._commanded)
        self.by_step = {job.step.name: (job.step.on.event_type, job.step.work_topic) for job in jobs}

    def of(self, record: Record, headers: Mapping[str, bytes | None]) -> Delivery:
        """The delivery that a record asks for. Raises DecodeError if it asks for none."""
        envelope = from_mapping(headers)
        self._check(record, envelope)
        job = self._triggered.get(record.topic)
        if job is not None:
            return delivery_of(record, _first_attempt(envelope), job)
        return self._ordered(record, headers, envelope)

    def named_by(self, record: Record) -> Delivery | None:
        """The delivery that a wrong record would have been, to report it; none if it does not name our saga."""
        headers = dict(record.headers)
        try:
            envelope = from_mapping(headers)
            self._check(record, envelope)
        except DecodeError:
            return None
        if record.topic in self._triggered:
            return delivery_of(record, _first_attempt(envelope), self._triggered[record.topic])
        command = Command(envelope.id, envelope.type == COMPENSATE, NOWHERE)
        return self._delivery(record, envelope, self._commanded[record.topic], command)

    def lies_right(self, key: bytes, partition: int) -> bool:
        """Whether a key's records belong into a partition."""
        return partition_of(key, self._partitions) == partition

    def _ordered(self, record: Record, headers: Mapping[str, bytes | None], envelope: Envelope) -> Delivery:
        """What a command asks for, under its attempt and epoch; the cause of all effects is the event it is about."""
        compensates = envelope.type == COMPENSATE
        job = (self._undoing if compensates else self._commanded).get(record.topic)
        if job is None:
            raise DecodeError(
                DecodeProblem.INVALID, "header ce_type", f"is {COMPENSATE}, {record.topic} has no compensation"
            )
        events = job.step.emits if compensates else (job.step.on,)
        reference = _reference(headers, events, record.partition)
        command = Command(envelope.id, compensates, reference, _revision(headers))
        return self._delivery(record, envelope, job, command)

    def _delivery(self, record: Record, envelope: Envelope, job: Job, command: Command) -> Delivery:
        cause = envelope.causation_id or envelope.id
        return delivery_of(record, replace(envelope, id=cause, type=command.reference.topic), job, command)

    def _check(self, record: Record, envelope: Envelope) -> None:
        """Raises DecodeError if the record is not where and what its envelope says."""
        if record.topic not in self._triggered:
            _check_command(record, envelope, self._commanded[record.topic])
        elif envelope.type != record.topic:
            raise _wrong("ce_type", f"is {envelope.type!r} on topic {record.topic}")
        if envelope.definition != self._saga.name:
            name = self._saga.name
            raise _wrong("ce_sagadefinition", f"is {envelope.definition!r}, {record.topic} belongs to {name}")
        key = key_of(envelope.subject).encode()
        if record.key != key:
            raise _wrong("ce_subject", f"has the key {key!r}, the record has {record.key!r}")
        if not self.lies_right(key, record.partition):
            right = partition_of(key, self._partitions)
            raise _wrong("partition", f"is {record.partition}, not {key!r}'s {right}: set partitioner=murmur2_random")


def _check_command(record: Record, envelope: Envelope, job: Job) -> None:
    if envelope.type not in {EXECUTE, COMPENSATE} or envelope.causation_id is None:
        raise _wrong("ce_type", f"is {envelope.type!r} on {record.topic}, not {EXECUTE} or {COMPENSATE} with a cause")
    if envelope.step != job.step.name:
        raise _wrong("ce_step", f"is for step {envelope.step!r} on {record.topic}")


def _reference(headers: Mapping[str, bytes | None], events: Sequence[EventType], partition: int) -> RecordReference:
    """Where the event lies that a command is about. Raises DecodeError if that can be none of `events`."""
    text = (headers.get(REFERENCE) or b"").decode(errors="replace")
    try:
        reference = reference_of(text)
    except ValueError:
        raise DecodeError(
            DecodeProblem.MALFORMED, f"header {REFERENCE}", f"is {text[:80]!r}, not topic/partition/offset"
        ) from None
    types = [event.event_type for event in events]
    if reference.topic not in types or reference.partition != partition or reference.offset < 0:
        allowed = " or ".join(types)
        raise DecodeError(
            DecodeProblem.INVALID, f"header {REFERENCE}", f"is {text!r}, not in partition {partition} of {allowed}"
        )
    return reference


def _revision(headers: Mapping[str, bytes | None]) -> int:
    """The revision of control that a command was issued under; without one, every entry gates it."""
    text = headers.get(CONTROL_REVISION)
    if text is None:
        return KNOWS_NOTHING
    if not text.isdigit() or len(text) > 18:
        raise DecodeError(
            DecodeProblem.MALFORMED, f"header {CONTROL_REVISION}", f"is {text[:40]!r}, not a decimal number"
        )
    return int(text)


def _wrong(where: str, what: str) -> DecodeError:
    return DecodeError(DecodeProblem.WRONG_TYPE, where, what)


def _first_attempt(envelope: Envelope) -> Envelope:
    """A trigger asks for the first attempt, whatever attempt of the step before has led to it."""
    return envelope if envelope.attempt == 1 else replace(envelope, attempt=1)
