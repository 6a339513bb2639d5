"""When most of what comes is unreadable, the producer is at fault: stop before all of it is dead-lettered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from kafka_saga.broker.records import TopicPartition

WINDOW = 1_000
"""How many of a partition's last records are looked at."""

LEAST = 500
"""How many of them must be dead letters, and more than half."""


@dataclass(slots=True)
class _Watch:
    dead: deque[int] = field(default_factory=deque)
    holds: bool = False


class DeadLetterBreaker:
    """Which partitions stand still until a person lets them go on."""

    def __init__(self) -> None:
        self._watches: dict[TopicPartition, _Watch] = {}

    def note_dead(self, at: TopicPartition, seen: int) -> None:
        """One more record of a partition has ended as a dead letter; it is the partition's `seen`th that ended."""
        watch = self._watches.setdefault(at, _Watch())
        watch.dead.append(seen)
        while watch.dead[0] <= seen - WINDOW:
            watch.dead.popleft()
        watch.holds = len(watch.dead) >= LEAST and len(watch.dead) * 2 > min(seen, WINDOW)

    def release(self, number: int) -> None:
        """A person lets this partition number go on; what comes now is counted anew."""
        self._watches = {at: watch for at, watch in self._watches.items() if at.partition != number}

    def holds(self, at: TopicPartition) -> bool:
        """Whether this partition stands still."""
        watch = self._watches.get(at)
        return watch is not None and watch.holds

    def partitions(self) -> tuple[TopicPartition, ...]:
        """All that stand still."""
        return tuple(at for at, watch in self._watches.items() if watch.holds)
