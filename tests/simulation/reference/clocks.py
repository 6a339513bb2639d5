"""Time that counts and time that does not: durations that pauses stretch. Milliseconds UTC, by log time."""

from __future__ import annotations

from collections.abc import Iterable

from kafka_saga.definition.model import Retry

Interval = tuple[int, int | None]
"""From, to; `None` while it lasts."""


def due(since: int, length: int, pauses: Iterable[Interval]) -> int | None:
    """When `length` milliseconds outside of the pauses have passed since `since`; `None` if a pause holds that up."""
    at, left = since, length
    for begin, end in joined(pauses):
        if end is not None and end <= at:
            continue
        if begin - at >= left and begin >= at:
            break
        left -= max(0, begin - at)
        if end is None:
            return None
        at = end
    return at + left


def lasts(pauses: Iterable[Interval]) -> bool:
    """Whether one of the pauses has no end yet."""
    return any(end is None for _, end in pauses)


def joined(pauses: Iterable[Interval]) -> list[Interval]:
    """The same pauses in order, those that overlap or touch as one."""
    found: list[Interval] = []
    for begin, end in sorted(pauses, key=lambda interval: interval[0]):
        if found and (found[-1][1] is None or begin <= found[-1][1]):
            before = found[-1][1]
            found[-1] = (found[-1][0], None if before is None or end is None else max(before, end))
        else:
            found.append((begin, end))
    return found


def least_delay(retry: Retry, used: int) -> int:
    """The shortest wait after the `used`-th attempt (from 1), jitter taken off."""
    return _delay(retry, used, -retry.jitter)


def most_delay(retry: Retry, used: int) -> int:
    """The longest wait after the `used`-th attempt (from 1), jitter put on."""
    return _delay(retry, used, retry.jitter)


def _delay(retry: Retry, used: int, jitter: float) -> int:
    most = retry.max_delay.total_seconds()
    nominal = min(most, retry.first.total_seconds() * retry.factor ** (used - 1))
    return round(1000 * min(most, nominal * (1 + jitter)))
