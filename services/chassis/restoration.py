"""Reading the changelogs of newly assigned tasks to their end, a piece at a time, while the consumer keeps polling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from schemas.errors import UnavailableError
from services.chassis.port import Admin, Cluster, Reader
from services.chassis.records import TopicPartition
from services.chassis.runner import Runner
from services.chassis.tasks import Task
from services.chassis.work import Effect

LOG = logging.getLogger("saga.restoration")

PAUSE = 0.5
"""Seconds before a broker that gave no answer is asked again."""

PIECE = 5_000
"""Changelog records read in one turn."""


class Restoration:
    """Fills the stores of tasks, and tells the runner which are complete.

    A changelog is read to where it reached when its task's offsets had been looked up, undecided records included:
    a commit returns before its markers are on every partition, so the last stable offset may lie before what counts.
    """

    def __init__(self, cluster: Cluster, runner: Runner, now: Callable[[], float]) -> None:
        self._cluster = cluster
        self._runner = runner
        self._now = now
        self._reader: Reader | None = None
        self._tasks: dict[int, Task] = {}
        self._admin: Admin | None = None
        self._ask_at = 0.0
        self._ends: Mapping[TopicPartition, int] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a task waits for its stores."""
        return bool(self._tasks)

    def begin(self) -> None:
        """Start over for the tasks just assigned; what is committed of them was looked up before."""
        self._tasks = {task.number: task for task in self._runner.restoring()}
        self._ends = None
        if places := self._places():
            self._reader = self._reader or self._cluster.reader()
            self._reader.assign(dict.fromkeys(places))

    def advance(self) -> list[Effect]:
        """Read a piece; the effects of tasks that are complete with it."""
        if not self._tasks:
            return []
        if self._ends is None and not self._know_ends():
            return []
        self._read()
        effects: list[Effect] = []
        for task in [task for task in self._tasks.values() if self._is_complete(task)]:
            del self._tasks[task.number]
            effects += self._runner.on_restored(task.number)
        if not self._tasks and self._reader is not None:
            self._reader.assign({})
        return effects

    def stop(self) -> None:
        """The partitions have gone."""
        self._tasks = {}

    def close(self) -> None:
        """Release the reader."""
        if self._reader is not None:
            self._reader.close()

    def _read(self) -> None:
        if self._reader is None:
            return
        for record in self._reader.poll(0.05, PIECE):
            task = self._tasks.get(record.partition)
            if task is not None:
                task.stores[record.topic].restore(record)

    def _places(self) -> list[TopicPartition]:
        return [TopicPartition(topic, task.number) for task in self._tasks.values() for topic in task.stores]

    def _know_ends(self) -> bool:
        """Ask how far the changelogs reach; if there is no answer, ask again later."""
        if self._now() < self._ask_at:
            return False
        try:
            self._admin = self._admin or self._cluster.admin()
            self._ends = self._admin.end_offsets(self._places())
        except UnavailableError as error:
            LOG.warning("keyed state cannot be restored yet: %s", error)
            # A client that has seen a broker restart may know its old leader epoch for ever: the next one is new.
            self._admin, self._ask_at = None, self._now() + PAUSE
        return self._ends is not None

    def _is_complete(self, task: Task) -> bool:
        if not task.stores or self._reader is None:
            return True
        read, ends = self._reader.positions(), self._ends or {}
        places = (TopicPartition(topic, task.number) for topic in task.stores)
        return all(read.get(at, 0) >= ends.get(at, 0) for at in places)
