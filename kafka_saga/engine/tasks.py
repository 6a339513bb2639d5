"""The unit of work: task p is partition p of all of a service's topics, with its stores.

A task runs only when all of its partitions are assigned here and its stores are restored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.engine.offset_tracker import MAX_UNFINISHED, OffsetTracker
from kafka_saga.engine.state_store import Store, StoreSpec


class Phase(Enum):
    """How far a task is."""

    INCOMPLETE = 1
    RESTORING = 2
    RUNNING = 3


@dataclass(slots=True)
class Task:
    """One partition number of a service: a offset tracker per topic, a store per spec (by changelog topic)."""

    number: int
    offset_trackers: dict[str, OffsetTracker]
    stores: dict[str, Store]
    phase: Phase = Phase.RESTORING


@dataclass(slots=True)
class Tasks:
    """The tasks assigned to this process; `room`: the most records of a partition that are not committed as done."""

    topics: tuple[str, ...]
    specs: tuple[StoreSpec, ...]
    room: int = MAX_UNFINISHED
    tasks: dict[int, Task] = field(default_factory=dict)

    def assign(self, committed: Mapping[TopicPartition, Committed | None]) -> None:
        """Replace everything by this assignment."""
        self.tasks = {number: self._task(number, committed) for number in sorted({at.partition for at in committed})}

    def revoke(self) -> None:
        """Nothing is assigned any more."""
        self.tasks = {}

    def start(self, number: int) -> Task | None:
        """A restored task runs; none if it has gone or is not complete."""
        task = self.tasks.get(number)
        if task is None or task.phase is Phase.INCOMPLETE:
            return None
        task.phase = Phase.RUNNING
        return task

    def assigned(self, number: int) -> Task | None:
        """The task, if it is ours."""
        return self.tasks.get(number)

    def running(self, number: int) -> Task | None:
        """The task, if it is ours and runs."""
        task = self.tasks.get(number)
        return task if task is not None and task.phase is Phase.RUNNING else None

    def working_on(self) -> tuple[int, ...]:
        """Numbers of the tasks that run."""
        return tuple([task.number for task in self.tasks.values() if task.phase is Phase.RUNNING])

    def restoring(self) -> tuple[Task, ...]:
        """Tasks that are complete but whose stores are not restored."""
        return tuple(task for task in self.tasks.values() if task.phase is Phase.RESTORING)

    def incomplete(self) -> tuple[int, ...]:
        """Numbers of the tasks that lack a topic."""
        return tuple(task.number for task in self.tasks.values() if task.phase is Phase.INCOMPLETE)

    def partitions(self) -> list[TopicPartition]:
        """Everything assigned."""
        return [TopicPartition(topic, task.number) for task in self.tasks.values() for topic in task.offset_trackers]

    def offset_tracker(self, record: Record) -> OffsetTracker:
        """The offset tracker that a record belongs to."""
        return self.tasks[record.partition].offset_trackers[record.topic]

    def _task(self, number: int, committed: Mapping[TopicPartition, Committed | None]) -> Task:
        own = {at.topic: found for at, found in committed.items() if at.partition == number}
        offset_trackers = {topic: OffsetTracker.restored(found, self.room) for topic, found in own.items()}
        stores = {spec.topic: Store(spec, number) for spec in self.specs}
        complete = set(offset_trackers) >= set(self.topics)
        return Task(number, offset_trackers, stores, Phase.RESTORING if complete else Phase.INCOMPLETE)
