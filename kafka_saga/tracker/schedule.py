"""When which saga of a task is to be looked at again."""

from __future__ import annotations

import heapq


class Schedule:
    """Keys by due time (milliseconds UTC). A key has one time; the last that was set counts."""

    def __init__(self) -> None:
        self._times: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def set(self, key: bytes, due: int | None) -> None:
        """Look at `key` when it is `due`; none: not at all."""
        if due is None:
            self._times.pop(key, None)
        elif self._times.get(key) != due:
            self._times[key] = due
            heapq.heappush(self._heap, (due, key))
            self._tidy()

    def first(self) -> int | None:
        """The earliest time; none if nothing is due ever."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self, until: int, most: int) -> list[bytes]:
        """Up to `most` keys that are due before `until`, the earliest first; they have no time any more."""
        found: list[bytes] = []
        while len(found) < most and (first := self.first()) is not None and first < until:
            _, key = heapq.heappop(self._heap)
            del self._times[key]
            found.append(key)
        return found

    def times(self) -> list[int]:
        """When each key is due; may be asked from another thread."""
        return list(self._times.values())

    def __len__(self) -> int:
        return len(self._times)

    def _tidy(self) -> None:
        """Times that were set and changed since are dropped before they outweigh those that count."""
        if len(self._heap) > 2 * len(self._times) + 1_000:
            self._heap = [(due, key) for key, due in self._times.items()]
            heapq.heapify(self._heap)
