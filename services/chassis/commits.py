"""What has ended and waits for its transaction, and the batches that it is committed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.chassis.keyed import Change, last_changes
from services.chassis.records import Committed, Outgoing, TopicPartition
from services.chassis.tasks import Task, Tasks
from services.chassis.work import Batch, Ended


class Commits:
    """The ended records of all tasks, in the order they ended."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._ended: list[Ended] = []

    def __bool__(self) -> bool:
        return bool(self._ended)

    def add(self, ended: Ended, task: Task) -> None:
        """A record of `task` has ended; its changes are seen from now on."""
        task.ledgers[ended.record.topic].finish(ended.record.offset)
        for change in ended.changes:
            task.stores[change.topic].put(change)
        self._ended.append(ended)

    def give_up(self) -> list[Ended]:
        """The tasks are gone: what was not committed."""
        left, self._ended = self._ended, []
        return left

    def replace(self, ended: Ended, instead: Ended) -> None:
        """Commit `instead` in place of `ended`, whose changes are undone."""
        for change in ended.changes:
            self._tasks.tasks[ended.record.partition].stores[change.topic].drop(change)
        self._ended[self._ended.index(ended)] = instead

    def batch(self, *, clean: bool = False) -> Batch | None:
        """Everything that has ended; none if nothing has."""
        return self._batch(self._ended, (), clean=clean) if self._ended else None

    def single(self, ended: Ended) -> Batch:
        """One ended record alone; the others of its partition are left open."""
        place = ended.place[:2]
        others = [other.record.offset for other in self._ended if other is not ended and other.place[:2] == place]
        return self._batch([ended], others, clean=False)

    def settle(self, batch: Batch) -> None:
        """The batch is on the log."""
        for ended in batch.ended:
            self._tasks.ledger(ended.record).settle(ended.record.offset)
        for change, outgoing in batch.changelog:
            self._tasks.tasks[outgoing.partition].stores[change.topic].settle(change, outgoing.value)
        done = {id(ended) for ended in batch.ended}
        self._ended = [ended for ended in self._ended if id(ended) not in done]

    def _batch(self, ended: Sequence[Ended], but: Sequence[int], *, clean: bool) -> Batch:
        outgoing = [record for one in ended for record in one.outgoing]
        changelog = self._changelog(ended)
        outgoing += [record for _, record in changelog]
        return Batch(list(ended), outgoing, changelog, self._offsets(ended, but, clean=clean))

    def _changelog(self, ended: Iterable[Ended]) -> list[tuple[Change, Outgoing]]:
        by_task: dict[int, list[Change]] = {}
        for one in ended:
            if one.changes:
                by_task.setdefault(one.record.partition, []).extend(one.changes)
        return [
            (change, self._tasks.tasks[number].stores[change.topic].encoded(change))
            for number, changes in by_task.items()
            for change in last_changes(changes)
        ]

    def _offsets(self, ended: Iterable[Ended], but: Sequence[int], *, clean: bool) -> dict[TopicPartition, Committed]:
        offsets: dict[TopicPartition, Committed] = {}
        for topic, number in {(one.record.topic, one.record.partition) for one in ended}:
            committed = self._tasks.tasks[number].ledgers[topic].committed(but=but, clean=clean)
            if committed is not None:
                offsets[TopicPartition(topic, number)] = committed
        return offsets
