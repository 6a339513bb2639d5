"""Intake: anyone may start a saga with a plain record; the owner of the first step gives it key and envelope.

Two passes (docs/architecture.md 3). Where the raw record lies, without state: validate, name the saga, publish again
to the same topic. On the right partition, on reading the normalised start: one that is known already is a duplicate.
"""

from __future__ import annotations

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.template import business_key, saga_id
from kafka_saga.definition.topics import intake_topic
from kafka_saga.engine.state_store import StoreSpec
from kafka_saga.errors import DecodeError, DecodeProblem, TerminalError
from kafka_saga.events.event import Event
from kafka_saga.wire.codec import Codec, content_type_of
from kafka_saga.wire.envelope import JSON, Envelope, rfc3339, to_headers, trace_of
from kafka_saga.wire.ids import child_of, start_id, trace_parent


class Intake:
    """The first pass: raw records to normalised starts."""

    def __init__(self, saga: Saga, codec: Codec, partitions: int, source: str) -> None:
        self._saga = saga
        self._codec = codec
        self._partitions = partitions
        self._source = source
        self.store = StoreSpec(intake_topic(saga), _encode_mark, _decode_mark)

    def normalised(self, record: Record, now: int) -> Outgoing:
        """The start that a raw record asks for. Raises DecodeError if it is none."""
        headers = dict(record.headers)
        event = self._codec.decode(record.topic, record.value, _declared(headers.get("content-type")))
        key = business_key(self._saga, event).encode()
        envelope = self._envelope(event, trace_of(headers), now)
        value = record.value if content_type_of(record.value or b"") != JSON else self._as_avro(event)
        return Outgoing(record.topic, partition_of(key, self._partitions), key, value, to_headers(envelope))

    def _as_avro(self, event: Event) -> bytes:
        try:
            return self._codec.encode(event)
        except TerminalError as error:
            raise DecodeError(DecodeProblem.INVALID, "value", error.reason) from None

    def _envelope(self, event: Event, given: str | None, now: int) -> Envelope:
        saga = saga_id(self._saga, event)
        identity = start_id(saga, event.event_type)
        return Envelope(
            id=identity,
            type=event.event_type,
            source=self._source,
            time=rfc3339(now),
            subject=saga,
            definition=self._saga.name,
            version=self._saga.version,
            traceparent=child_of(given, identity) if given else trace_parent(saga, identity),
        )


def is_start(saga: Saga, event: Event, envelope: Envelope) -> bool:
    """Whether the envelope is what the templates make of the event."""
    return saga_id(saga, event) == envelope.subject and envelope.type == event.event_type


def _declared(content_type: bytes | None) -> str | None:
    """A content type that a producer gave, if it is one of ours; others (text/plain) mean nothing here."""
    try:
        text = content_type.decode() if content_type else None
    except UnicodeDecodeError:
        raise DecodeError(DecodeProblem.MALFORMED, "header content-type", "is not UTF-8") from None
    return text


def _encode_mark(started_at: int) -> bytes:
    return b"%d" % started_at


def _decode_mark(value: bytes) -> int:
    return int(value)
