"""Which partition a key belongs to: Kafka's murmur2 partitioner, as Java and librdkafka's `murmur2_random` do it."""

from __future__ import annotations

import struct
from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions` (source: org.apache.kafka.common.utils.Utils.murmur2)."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2 of `data`, seed 0x9747b28c."""
    whole = len(data) & ~3
    hashed = 0x9747B28C ^ len(data)
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        k = word * _M & _MASK
        hashed = hashed * _M & _MASK ^ (k ^ k >> 24) * _M & _MASK
    if whole < len(data):
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    hashed = (hashed ^ hashed >> 13) * _M & _MASK
    return hashed ^ hashed >> 15
