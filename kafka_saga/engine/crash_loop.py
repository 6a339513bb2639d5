"""What a process may have died of, and when that starts again: not before the log says so (docs/architecture.md 4.4).

A delivery's crash count is how often a process died that may have been working on it. The log has to say too that a
partition is being worked on, before anything of it starts: a process that dies of its first record leaves no word.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from kafka_saga.engine.key_ordering import KeyOrdering
from kafka_saga.engine.offset_tracker import OffsetTracker
from kafka_saga.engine.pending_commits import PendingCommits
from kafka_saga.engine.tasks import Tasks
from kafka_saga.engine.work import Batch, CommitRequest, Delivery

ALONE_FROM = 2
"""The crash count from which a suspect is worked on while no other suspect is."""

GIVEN_UP_AT = 3
"""The crash count at which a delivery is not worked on any more."""


class CrashLoopGuard:
    """Deliveries that start when a commit has said so, and suspects whose turn has not come.

    A suspect is live from when its commit is asked for until it ends. One that is to be alone is live with no other,
    the others are live together.
    """

    def __init__(self, tasks: Tasks, lanes: KeyOrdering, commits: PendingCommits) -> None:
        self._tasks = tasks
        self._ordering = lanes
        self._commits = commits
        self._asked: list[Delivery] = []
        self._committing: dict[CommitRequest, list[Delivery]] = {}
        self._queue: deque[tuple[Delivery, bool]] = deque()
        self._live: dict[Delivery, bool] = {}
        self.has_released = False

    def hold_up(self, delivery: Delivery, crashes: int) -> None:
        """A delivery keeps its key until a commit has said that it starts, at this crash count."""
        alone = crashes >= ALONE_FROM
        is_next = not crashes or self._may_live(alone=alone)
        self._ordering.hold(delivery, keeps_place=is_next)
        if is_next:
            self._let(delivery, alone=alone, is_suspect=crashes > 0)
        else:
            self._queue.append((delivery, alone))

    def turn(self) -> None:
        """Ask for the commits that are wanted."""
        self.has_released = False
        while self._queue and self._may_live(alone=self._queue[0][1]):
            delivery, alone = self._queue.popleft()
            self._let(delivery, alone=alone, is_suspect=True)
        if self._asked:
            self._ask()

    def committed(self, batch: Batch) -> None:
        """What was waited for is on the log."""
        for delivery in self._said(batch) if self._committing else ():
            self._ordering.release(delivery)
            self.has_released = True

    def leave(self, delivery: Delivery) -> None:
        """It has ended, or does not start after all."""
        if self._live:
            self._live.pop(delivery, None)

    def keep(self, running: Collection[Delivery]) -> None:
        """Forget everything but these, which run."""
        self._asked.clear()
        self._committing.clear()
        self._queue.clear()
        kept = set(running)
        self._live = {delivery: alone for delivery, alone in self._live.items() if delivery in kept}

    def _ask(self) -> None:
        by_task: dict[int, list[Delivery]] = {}
        for delivery in self._asked:
            self._ledger(delivery).accuse(delivery.record.offset)
            by_task.setdefault(delivery.record.partition, []).append(delivery)
        self._asked.clear()
        for number, deliveries in by_task.items():
            self._committing[self._commits.request(number)] = deliveries

    def _said(self, batch: Batch) -> Iterator[Delivery]:
        for request in batch.requests:
            yield from self._committing.pop(request, ())

    def _let(self, delivery: Delivery, *, alone: bool, is_suspect: bool) -> None:
        self._asked.append(delivery)
        if is_suspect:
            self._live[delivery] = alone

    def _may_live(self, *, alone: bool) -> bool:
        return not self._live if alone else not any(self._live.values())

    def _ledger(self, delivery: Delivery) -> OffsetTracker:
        return self._tasks.offset_tracker(delivery.record)
