"""What has ended or was made and waits for its transaction, and the batches that it is committed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from kafka_saga.engine.state_store import Change, last_changes
from kafka_saga.engine.tasks import Task, Tasks
from kafka_saga.engine.work import Batch, CommitRequest, Ended, Pending, Write

AT_ITS_BEGINNING = Committed(0, "1|r|0|")
"""The position of a task of which nothing was ever delivered: sent all the same, as a fence."""


class PendingCommits:
    """What ended or was made, of all tasks, in the order of time: of a key the last change counts."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._waiting: list[Pending] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, ended: Ended, task: Task) -> None:
        """A record of `task` has ended; its changes are seen from now on."""
        task.offset_trackers[ended.record.topic].finish(ended.record.offset)
        self._wait(ended, task)

    def make(self, made: Write, task: Task) -> None:
        """Something is to be written for `task`; its changes are seen from now on."""
        self._wait(made, task)

    def request(self, number: int) -> CommitRequest:
        """Have the offsets of this task committed with the next batch, whatever else is in it."""
        request = CommitRequest(number)
        self._waiting.append(request)
        return request

    def give_up(self) -> list[Ended]:
        """The tasks are gone: what ended but was not committed. What was made goes with the stores it was made from."""
        left, self._waiting = self._waiting, []
        return [one for one in left if isinstance(one, Ended)]

    def replace(self, ended: Ended, instead: Ended) -> None:
        """Commit `instead` in place of `ended`, whose changes are undone."""
        self._undo(ended)
        self._waiting[self._waiting.index(ended)] = instead

    def drop(self, one: Write | CommitRequest) -> None:
        """Never commit this; its changes are undone."""
        self._undo(one)
        self._waiting.remove(one)

    def waiting(self) -> tuple[Pending, ...]:
        """Everything that waits, in the order of time."""
        return tuple(self._waiting)

    def batch(self, *, clean: bool = False) -> Batch | None:
        """Everything that waits; none if nothing does. A clean one also says that what we worked on is handed over."""
        if not self._waiting and not (clean and self._worked_on()):
            return None
        return self._batch(self._waiting, (), clean=clean)

    def single(self, one: Pending) -> Batch:
        """One alone; the other ended records are left open."""
        others = [other.place for other in self._waiting if other is not one and isinstance(other, Ended)]
        return self._batch([one], others, clean=False)

    def settle(self, batch: Batch) -> None:
        """The batch is on the log."""
        for at in batch.offsets:
            self._tasks.tasks[at.partition].offset_trackers[at.topic].note_committed()
        for ended in batch.ended:
            self._tasks.offset_tracker(ended.record).settle(ended.record.offset)
        for change, outgoing in batch.changelog:
            self._tasks.tasks[outgoing.partition].stores[change.topic].settle(change)
        done = {*batch.ended, *batch.made, *batch.requests}
        self._waiting = [one for one in self._waiting if one not in done]

    def _wait(self, one: Ended | Write, task: Task) -> None:
        for change in one.changes:
            task.stores[change.topic].put(change)
        self._waiting.append(one)

    def _undo(self, one: Pending) -> None:
        for change in one.changes:
            self._tasks.tasks[one.number].stores[change.topic].drop(change)

    def _batch(self, waiting: Sequence[Pending], but: Sequence[tuple[str, int, int]], *, clean: bool) -> Batch:
        outgoing = [record for one in waiting for record in one.outgoing]
        changelog = self._changelog(waiting)
        outgoing += [record for _, record in changelog]
        ended = [one for one in waiting if isinstance(one, Ended)]
        others = [one for one in waiting if not isinstance(one, Ended)] if len(ended) < len(waiting) else []
        made = [one for one in others if isinstance(one, Write)]
        requests = [one for one in others if isinstance(one, CommitRequest)]
        places = {TopicPartition(*place) for place in {(one.record.topic, one.record.partition) for one in ended}}
        for number in {one.number for one in others}:
            places |= self._of_task(number)
        if clean:
            places |= self._worked_on()
        return Batch(ended, outgoing, changelog, self._offsets(places, but, clean=clean), made, requests)

    def _changelog(self, waiting: Iterable[Pending]) -> list[tuple[Change, Outgoing]]:
        by_task: dict[int, list[Change]] = {}
        for one in waiting:
            if one.changes:
                by_task.setdefault(one.number, []).extend(one.changes)
        return [
            (change, self._tasks.tasks[number].stores[change.topic].outgoing(change))
            for number, changes in by_task.items()
            for change in last_changes(changes)
        ]

    def _worked_on(self) -> set[TopicPartition]:
        """Where what we have committed says that we work."""
        return {
            TopicPartition(topic, number)
            for number, task in self._tasks.tasks.items()
            for topic, offset_tracker in task.offset_trackers.items()
            if offset_tracker.is_ours
        }

    def _of_task(self, number: int) -> set[TopicPartition]:
        """Where a task has a position; its first topic if it has none at all."""
        offset_trackers = self._tasks.tasks[number].offset_trackers
        known = [topic for topic, offset_tracker in offset_trackers.items() if offset_tracker.next is not None]
        return {TopicPartition(topic, number) for topic in known or self._tasks.topics[:1]}

    def _offsets(
        self, places: Iterable[TopicPartition], but: Collection[tuple[str, int, int]], *, clean: bool
    ) -> dict[TopicPartition, Committed]:
        offsets: dict[TopicPartition, Committed] = {}
        for at in places:
            left = {offset for topic, number, offset in but if (topic, number) == at}
            offset_tracker = self._tasks.tasks[at.partition].offset_trackers[at.topic]
            offsets[at] = offset_tracker.committed(but=left, clean=clean) or AT_ITS_BEGINNING
        return offsets
