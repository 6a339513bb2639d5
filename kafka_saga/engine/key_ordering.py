"""One at a time per key, up to so many at once: the order in which handlers start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from kafka_saga.engine.work import Delivery, Mode

Lane = tuple[int, bytes]


class KeyOrdering:
    """A queue per business key: its head runs or is ready, the rest waits. Inline handlers need no free place."""

    def __init__(self, max_in_flight: int) -> None:
        self._max = max_in_flight
        self._waiting: dict[Lane, deque[Delivery] | None] = {}
        self._ready: deque[Delivery] = deque()
        self._places: set[Delivery] = set()
        self._held: dict[Delivery, None] = {}  # in the order of time

    def enter(self, delivery: Delivery) -> bool:
        """Take a delivery in; whether it may start at once."""
        lane = delivery.lane
        if lane not in self._waiting:
            self._waiting[lane] = None
            return self._may_start(delivery)
        waiting = self._waiting[lane]
        if waiting is None:
            self._waiting[lane] = deque((delivery,))
        else:
            waiting.append(delivery)
        return False

    def hold(self, delivery: Delivery, *, keeps_place: bool = False) -> None:
        """The head of a queue may not start yet: it stays the head, and gives up its place unless it is soon to go."""
        if not keeps_place:
            self._places.discard(delivery)
        self._held[delivery] = None

    def release(self, delivery: Delivery) -> None:
        """What was held is ready again, unless it has been forgotten."""
        if delivery in self._held:
            del self._held[delivery]
            self._ready.append(delivery)

    def leave(self, delivery: Delivery) -> None:
        """The head of a queue has ended: the next one is ready."""
        if delivery.job.mode is not Mode.INLINE:
            self._places.discard(delivery)
        waiting = self._waiting.get(delivery.lane)
        if waiting:
            self._ready.append(waiting.popleft())
        else:
            self._waiting.pop(delivery.lane, None)

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Take in again, in this order, what has left without having run: it comes before what waits for its key."""
        by_lane: dict[Lane, list[Delivery]] = {}
        for delivery in deliveries:
            by_lane.setdefault(delivery.lane, []).append(delivery)
        for lane, first in by_lane.items():
            if lane not in self._waiting:
                self._waiting[lane] = None
                self._ready.append(first.pop(0))
            self._waiting[lane] = deque((*first, *(self._waiting[lane] or ())))

    def next(self) -> Delivery | None:
        """The next ready delivery that finds a place; none if there is none."""
        for _ in range(len(self._ready)):
            delivery = self._ready.popleft()
            if self._takes_place(delivery):
                return delivery
            self._ready.append(delivery)
        return None

    @property
    def held(self) -> int:
        """How many heads may not start yet."""
        return len(self._held)

    def keep_running(self) -> None:
        """Forget everything that has not started."""
        for delivery in (*self._ready, *self._held):
            del self._waiting[delivery.lane]
            self._places.discard(delivery)
        self._ready.clear()
        self._held.clear()
        self._waiting = dict.fromkeys(self._waiting)

    def _may_start(self, delivery: Delivery) -> bool:
        if self._takes_place(delivery):
            return True
        self._ready.append(delivery)
        return False

    def _takes_place(self, delivery: Delivery) -> bool:
        if delivery.job.mode is Mode.INLINE or delivery in self._places:
            return True
        if len(self._places) >= self._max:
            return False
        self._places.add(delivery)
        return True
