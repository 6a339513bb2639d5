"""The lean reference, its four steps: the bare loop with envelope, Avro, pydantic and ids, without the framework.

It does what the happy path needs and nothing else: what stays the same is copied as bytes, there are no gates, no
lanes, no offset tracker of unfinished records. `python -m tests.bench.lean STEP PREFIX`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any

import fastavro
from confluent_kafka import Message

from kafka_saga.definition.model import Step
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.events.event import Event
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.codec import MAGIC, parsed
from kafka_saga.wire.envelope import rfc3339
from kafka_saga.wire.ids import child_of, event_id, key_of
from tests.bench.flat import Produce, Work, forever, now
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS


class Format:
    """How one event type is read and written."""

    def __init__(self, event: type[Event]) -> None:
        self.event = event
        self.schema, mark = parsed(avro_schema(event))
        self.prefix = MAGIC + mark

    def read(self, value: bytes) -> Event:
        """The validated event in Avro single-object bytes."""
        if value[:10] != self.prefix:
            raise ValueError(f"not a {self.event.event_type}")
        body = io.BytesIO(value)
        body.seek(10)
        return self.event.model_validate(fastavro.schemaless_reader(body, self.schema, None))

    def write(self, event: Event) -> bytes:
        """The event as Avro single-object bytes."""
        out = io.BytesIO()
        out.write(self.prefix)
        fastavro.schemaless_writer(out, self.schema, event.__dict__)
        return out.getvalue()


def hop(step: Step, prefix: str, blobs: BlobStore) -> Work:
    """The work of a step: decode, handle, give an id, encode."""
    handler: Any = HANDLERS[step.name]
    outcome = step.emits[0]
    reads, writes = Format(step.on), Format(outcome)
    to, consumed, name = prefix + outcome.event_type, step.on.event_type.encode(), step.name
    emitted, source, of_step = outcome.event_type.encode(), f"/services/chain-{name}".encode(), name.encode()

    def work(messages: Sequence[Message], produce: Produce) -> None:
        time = rfc3339(now()).encode()
        for message in messages:
            found: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]
            if found["ce_type"] != consumed or found["ce_specversion"] != b"1.0":
                raise ValueError(f"{found['ce_type']!r} on {message.topic()}")
            subject = found["ce_subject"].decode()
            cause, attempt, epoch = found["ce_id"], int(found["ce_attempt"]), int(found["ce_epoch"])
            context = Context(subject, key_of(subject), name, attempt, epoch, blobs)
            event = handler(reads.read(message.value() or b""), context)
            identity = event_id(cause.decode(), name, outcome.event_type, 0, epoch)
            headers = [
                ("ce_specversion", b"1.0"),
                ("ce_id", identity.encode()),
                ("ce_type", emitted),
                ("ce_source", source),
                ("ce_time", time),
                ("ce_subject", found["ce_subject"]),
                ("content-type", b"application/avro"),
                ("ce_sagadefinition", found["ce_sagadefinition"]),
                ("ce_sagaversion", found["ce_sagaversion"]),
                ("ce_attempt", found["ce_attempt"]),
                ("ce_epoch", found["ce_epoch"]),
                ("ce_causationid", cause),
                ("ce_step", of_step),
                ("traceparent", child_of(found["traceparent"].decode(), identity).encode()),
            ]
            produce(to, writes.write(event), message.key(), message.partition(), headers=headers)

    return work


if __name__ == "__main__":
    _, wanted, topics = sys.argv
    step = CHAIN.steps_by_name[wanted]
    forever(f"{topics}{wanted}", [topics + step.on.event_type], hop(step, topics, BlobStore("memory://")))
