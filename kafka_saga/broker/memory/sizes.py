"""How large a record may be: what the client checks before it compresses, and what the broker checks after."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache

from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import MAX_DEAD_LETTER_BYTES

CLIENT_MAX_BYTES = MAX_DEAD_LETTER_BYTES
"""The `message.max.bytes` of our producers, see `kafka_saga.broker.kafka.producer`."""

TOPIC_MAX_BYTES = 1_048_588
"""Kafka's default of the topic setting `max.message.bytes`."""

RECORD_OVERHEAD = 36
"""Bytes that librdkafka adds to a record before it compares (RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD; measured, 2.16)."""

BATCH_OVERHEAD = 61
"""Bytes before the first record of a batch (Kafka's RecordBatch, format 2)."""


def client_size(record: Outgoing) -> int:
    """The bytes of a record as librdkafka holds them against `message.max.bytes`: uncompressed."""
    size = RECORD_OVERHEAD + len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += _sized(len(name)) + _sized(len(value or b""))
    return size


def fits(record: Outgoing, size: int, most: int) -> bool:
    """Whether a topic with this `max.message.bytes` takes a record of this client size, in a batch of its own.

    The broker compares the compressed batch. zlib at level 1 stands in for lz4, which compresses a little less; a
    batch that compression would enlarge is sent as it is.
    """
    return size + BATCH_OVERHEAD <= most or _compressed(record) + BATCH_OVERHEAD <= most


def _compressed(record: Outgoing) -> int:
    return len(zlib.compress(b"".join(_parts(record)), 1))


def _parts(record: Outgoing) -> Iterator[bytes]:
    yield record.key or b""
    yield record.value or b""
    for name, value in record.headers:
        yield name.encode()
        yield value or b""  # Kafka has null headers


@lru_cache(maxsize=4096)
def _sized(length: int) -> int:
    """The bytes of a text with its length before it, as a zigzag varint."""
    return length + 1 if length < 64 else length + ((2 * length).bit_length() + 6) // 7
