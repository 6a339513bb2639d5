"""How far behind the log a worker is: as of which time it knows everything. Pure.

A worker knows everything as of the last fetch that it has read to the end; while records wait, as of the oldest that
waits: everything of log time before that one is in the tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection


class Positions:
    """Per partition: the records that were fetched and wait, and as of when all was known. Times: milliseconds UTC."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[int, int]]] = {}
        self._known: dict[int, int] = {}

    def begin(self, partitions: Collection[int]) -> None:
        """These partitions are ours, and no others: what was fetched before is fetched again."""
        self._waiting = {number: deque() for number in partitions}
        self._known = {number: self._known.get(number, 0) for number in partitions}

    def fetched(self, partition: int, offset: int, at: int) -> None:
        """A record waits to be folded."""
        waiting = self._waiting.setdefault(partition, deque())
        while waiting and waiting[-1][0] >= offset:  # it is read again from further back
            waiting.pop()
        waiting.append((offset, at))

    def folded(self, partition: int, offset: int) -> None:
        """The records up to this one are in the table."""
        waiting = self._waiting.get(partition)
        while waiting and waiting[0][0] <= offset:
            waiting.popleft()

    def read_to_the_end(self, partition: int, at: int) -> None:
        """A fetch at this time had nothing that was not fetched before."""
        if not self._waiting.get(partition):
            self._known[partition] = max(at, self._known.get(partition, 0))

    def as_of(self, partition: int) -> int:
        """The time until which everything is known; 0 if that is not known."""
        waiting = self._waiting.get(partition)
        known = self._known.get(partition, 0)
        return max(known, waiting[0][1]) if waiting else known

    def behind(self, partitions: Collection[int], now: int) -> float:
        """Seconds behind the log, of the partition that is furthest behind."""
        return max((max(0, now - self.as_of(number)) / 1000 for number in partitions), default=0.0)

    def mark(self, partition: int) -> object:
        """What is reached: something else as soon as it moves on."""
        waiting = self._waiting.get(partition)
        return self.as_of(partition), waiting[0][0] if waiting else None

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return sum(map(len, self._waiting.values()))
