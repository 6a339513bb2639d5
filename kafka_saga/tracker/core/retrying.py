"""When a failed attempt is followed by the next: exponential delays, with a jitter that is the same at every replay."""

from __future__ import annotations

import hashlib

from kafka_saga.definition.model import Retry

_WHOLE = 2**64


def delay(retry: Retry, used: int, seed: str) -> int:
    """Milliseconds to wait after the `used`-th attempt (from 1). `seed` names the attempt: saga, step and attempt.

    The jitter spreads a delay over plus or minus its share, so that what failed together does not come back together.
    """
    limit = retry.max_delay.total_seconds()
    try:
        seconds = min(limit, retry.first.total_seconds() * retry.factor ** (used - 1))
    except OverflowError:
        seconds = limit
    return max(0, round(1000 * min(limit, seconds * (1 + retry.jitter * (2 * _share(seed) - 1)))))


def _share(seed: str) -> float:
    """A number from 0 to below 1 that is random, and always the same for a seed."""
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _WHOLE
