"""Reading changelogs and control of newly assigned tasks to their end, a piece a turn, while the consumer polls on."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.records import TopicPartition
from kafka_saga.broker.watermarks import Watermarks
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.tasks import Task
from kafka_saga.engine.work import Effect

LOG = logging.getLogger("saga.restoration")

PIECE = 5_000
"""Changelog records read in one turn."""


class StateRestorer:
    """Fills the stores of tasks, passes control on, and tells the runner which may run; then it follows control.

    A topic is read to where it reached when its task's offsets had been looked up, undecided records included:
    a commit returns before its markers are on every partition, so the last stable offset may lie before what counts.
    """

    def __init__(self, cluster: Cluster, runner: Runner, clock: Clock) -> None:
        self._cluster = cluster
        self._runner = runner
        self._clock = clock
        self._reader: Reader | None = None
        self._tasks: dict[int, Task] = {}
        self._followed: tuple[int, ...] = ()
        self._watermarks = Watermarks(cluster, clock, LOG)
        self._ends: Mapping[TopicPartition, int] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a task waits for its stores."""
        return bool(self._tasks)

    def begin(self) -> None:
        """Start over for the tasks just assigned; what is committed of them was looked up before."""
        self._tasks = {task.number: task for task in self._runner.restoring()}
        self._followed = tuple(self._tasks) if self._runner.heeds_control else ()
        self._ends = None
        if places := self._places():
            self._reader = self._reader or self._cluster.reader()
            self._reader.assign(dict.fromkeys(places))

    def advance(self) -> list[Effect]:
        """Read a piece; the effects of control, and of tasks that are complete with it."""
        effects = self._read()
        if not self._tasks or (self._ends is None and not self._know_ends()):
            return effects
        for task in [task for task in self._tasks.values() if self._is_complete(task)]:
            del self._tasks[task.number]
            effects += self._runner.on_restored(task.number, self._clock.now(), self._ends or {})
        if not self._tasks:
            self._follow()
        return effects

    def stop(self) -> None:
        """The partitions have gone."""
        self._tasks = {}
        self._followed = ()

    def close(self) -> None:
        """Release the reader."""
        if self._reader is not None:
            self._reader.close()

    def _read(self) -> list[Effect]:
        """Changelogs into their stores; control to whom it concerns."""
        if self._reader is None or not (self._tasks or self._followed):
            return []
        records = self._reader.poll(0.05 if self._tasks else 0, PIECE)
        for record in records:
            task = self._tasks.get(record.partition)
            if task is not None and record.topic in task.stores:
                task.stores[record.topic].restore(record)
        return self._runner.on_control([record for record in records if record.topic == SAGA_CONTROL])

    def _follow(self) -> None:
        """Everything is restored: go on with control alone."""
        if self._reader is not None:
            read = self._reader.positions()
            places = [TopicPartition(SAGA_CONTROL, number) for number in self._followed]
            self._reader.assign({at: read.get(at) for at in places})

    def _places(self) -> list[TopicPartition]:
        return [at for task in self._tasks.values() for at in self._places_of(task)]

    def _inputs(self) -> list[TopicPartition]:
        """What the tasks consume: what was there before they came, their predecessor may have died of."""
        return [TopicPartition(topic, task.number) for task in self._tasks.values() for topic in task.offset_trackers]

    def _places_of(self, task: Task) -> list[TopicPartition]:
        topics = (*task.stores, SAGA_CONTROL) if task.number in self._followed else task.stores
        return [TopicPartition(topic, task.number) for topic in topics]

    def _know_ends(self) -> bool:
        """Ask how far everything reaches; if there is no answer, ask again later."""
        places = [*self._places(), *self._inputs()]
        self._ends = self._watermarks.ask(places, in_vain="keyed state cannot be restored yet")
        return self._ends is not None

    def _is_complete(self, task: Task) -> bool:
        places = self._places_of(task)
        if not places or self._reader is None:
            return True
        read, ends = self._reader.positions(), self._ends or {}
        return all(read.get(at, 0) >= ends.get(at, 0) for at in places)
