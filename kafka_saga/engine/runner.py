"""The state machine of a service: records, results and rebalances in, effects out. No I/O, no clock, no threads.

Which records are taken in, what is committed, and what becomes of both when partitions come and go. The way of a
record that has been taken in is `Dispatch`'s, what it *means* is the `Processor`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kafka_saga.broker.records import Committed, Record, TopicPartition
from kafka_saga.engine.buffer import RecordBuffer
from kafka_saga.engine.dispatch import Dispatch
from kafka_saga.engine.offset_tracker import MAX_ENDED, MAX_UNFINISHED
from kafka_saga.engine.pending_commits import PendingCommits
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.tasks import Task, Tasks
from kafka_saga.engine.work import (
    Batch,
    ControlUpdate,
    Delivery,
    Effect,
    Ended,
    Fetch,
    Pause,
    Pending,
    Result,
    Resume,
    Start,
    Write,
)


class PartitionProgress(NamedTuple):
    """How far a partition has been taken in (`position`: the next offset), what of it is not finished, and when the
    first record came that is read but not taken in (milliseconds UTC); none where that is not known here.
    """

    at: TopicPartition
    position: int | None
    unfinished: int
    oldest: int | None


UNKNOWN_ENDS: Mapping[TopicPartition, int] = MappingProxyType({})


class Runner:
    """Takes records in and keeps the books; see the module. `progress_every`: in milliseconds."""

    def __init__(self, roles: Roles, max_in_flight: int = 16, progress_every: int = 10_000) -> None:
        self._processor = roles.processor
        self._punctuator = roles.punctuator
        room = MAX_UNFINISHED if roles.handlers is not None else MAX_ENDED
        self._tasks = Tasks(roles.processor.topics, roles.processor.stores, room)
        self._buffer = RecordBuffer()
        self._commits = PendingCommits(self._tasks)
        self._dispatch = Dispatch(roles, self._tasks, self._buffer, self._commits, max_in_flight, progress_every)
        self.is_member = False

    # ---- rebalances

    def on_assign(self, committed: Mapping[TopicPartition, Committed | None]) -> list[Effect]:
        """Partitions are ours with what was committed of them; they wait for `on_restored`."""
        self.is_member = True
        self._tasks.assign(committed)
        return self._dispatch.reassigned()

    def on_restored(self, number: int, now: int, ends: Mapping[TopicPartition, int] = UNKNOWN_ENDS) -> list[Effect]:
        """The stores of a task are complete: it runs. One that stops reads on only to take its own work up again.

        `ends`: how far its partitions reached when it had been assigned.
        """
        task = self._tasks.start(number)
        if task is None or (self._dispatch.is_stopping and not self._dispatch.has_left(number)):
            return []
        for topic, offset_tracker in task.offset_trackers.items():
            offset_tracker.suspect_below(ends.get(TopicPartition(topic, number), 0))
        if self._punctuator is not None:
            self._punctuator.restored(number, task.stores, now)
        return [
            *(Resume(TopicPartition(topic, number)) for topic in task.offset_trackers),
            *self._dispatch.on_cancel({number}),
        ]

    def on_revoke(self) -> None:
        """All partitions have gone. Handlers run on; what ended but is not committed waits to be taken up again.

        But not what changes keyed state: its record may come again after others that it builds on differently.
        """
        self._dispatch.revoked(self._commits.give_up())
        self._buffer.forget()
        self._tasks.revoke()
        self._processor.gone()
        self.is_member = False

    def on_lost(self) -> list[Effect]:
        """As `on_revoke`, but others may have gone on meanwhile: what builds on keyed state builds on an old one."""
        self.on_revoke()
        return self._dispatch.lost()

    # ---- records and results

    def on_records(self, records: Iterable[Record]) -> None:
        """Records have been read; `pump` works on them."""
        self._buffer.add(records)

    def pump(self, now: int) -> list[Start]:
        """Take in what there is room for, start what may start; call again while it returns something."""
        starts: list[Start] = []
        for at, held in self._buffer.waiting():
            if (task := self._tasks.running(at.partition)) is not None:
                self._take_in(at, held, task, now, starts)
        self._dispatch.start_ready(now, starts)
        return starts

    def regulate(self) -> list[Effect]:
        """Pause what running handlers block and what stands still, resume it when that is over; after each commit.

        Not sooner: a pause throws away what the client has fetched ahead.
        """
        return self._buffer.regulate(self._is_full)

    def on_done(self, delivery: Delivery, result: Result, now: int) -> None:
        """A handler has ended."""
        self._dispatch.on_done(delivery, result, now)

    # ---- control, references, progress

    @property
    def heeds_control(self) -> bool:
        """Whether `saga.control` is read, before a task runs and while it does."""
        return self._dispatch.heeds_control

    def on_control(self, records: Iterable[Record]) -> list[Effect]:
        """Records of `saga.control`: what waited is looked at again, and running handlers may have to hear of it.

        Not before their task runs again: until then control is read from its beginning, and may say what is over.
        """
        return self._dispatch.on_control(records)

    def fetches(self) -> list[Fetch]:
        """The references to be read since the last time."""
        return self._dispatch.fetches()

    def on_fetched(self, delivery: Delivery) -> None:
        """The cause of a delivery has been read, or cannot be; it may start."""
        self._dispatch.on_fetched(delivery)

    def on_tick(self, now: int) -> None:
        """Report what has run for a while; called often, looks seldom."""
        self._dispatch.on_tick(now)

    def add(self, made: Write) -> None:
        """Something is to be written for a task; dropped if it is not ours or does not run."""
        if (task := self._tasks.running(made.number)) is not None:
            self._commits.make(made, task)

    def keep_still(self, number: int, topics: frozenset[str]) -> None:
        """Take in nothing of these topics of a task from now on, but of all others."""
        self._buffer.on_control(number, ControlUpdate(topics))

    def make(self, now: int) -> None:
        """Ask for what is to be written without a record that asks for it; between taking in and committing."""
        if self._punctuator is None or self._dispatch.is_stopping:
            return
        for number in self._tasks.working_on():
            task = self._tasks.tasks[number]
            for made in self._punctuator.punctuate(number, task.stores, now):
                self._commits.make(made, task)

    def on_stop(self) -> list[Effect]:
        """Take nothing more; what runs may end. What comes all the same stays open, for the next owner."""
        self._dispatch.stop()
        self._buffer.drop()
        return [Pause(at) for at in self._tasks.partitions()]

    # ---- commits

    def batch(self, *, clean: bool = False) -> Batch | None:
        """Everything that has ended since the last commit; none if there is nothing."""
        return self._commits.batch(clean=clean)

    def single(self, one: Pending) -> Batch:
        """One ended record alone, or what was made; the others left open: for a batch that Kafka does not take."""
        return self._commits.single(one)

    def on_committed(self, batch: Batch) -> None:
        """The batch is on the log."""
        self._commits.settle(batch)
        self._dispatch.on_committed(batch)

    def waiting(self) -> tuple[Pending, ...]:
        """Everything that waits for its commit, in the order it came: later changes of a key build on earlier ones."""
        return self._commits.waiting()

    def refuse(self, one: Pending, reason: str, now: int) -> Ended | None:
        """Kafka does not take what this led to: a record ends as failed instead, anything else is given up."""
        if isinstance(one, Ended):
            instead = self._processor.refuse(one, reason, now)
            self._commits.replace(one, instead)
            return instead
        self._commits.drop(one)
        if self._punctuator is not None and isinstance(one, Write):
            self._punctuator.dropped(one)
        return None

    # ---- what is seen from outside

    def quarantined(self) -> tuple[TopicPartition, ...]:
        """Partitions that stand still because most of their records are dead letters."""
        return self._buffer.quarantine.partitions()

    def working_on(self) -> tuple[int, ...]:
        """Numbers of the tasks that run."""
        return self._tasks.working_on()

    def incomplete(self) -> tuple[int, ...]:
        """Task numbers of which some topics are assigned elsewhere."""
        return self._tasks.incomplete()

    def taken_in(self, number: int, positions: Mapping[TopicPartition, int]) -> Mapping[str, int]:
        """How far each topic of a task has been taken in, where the consumer has read to `positions`."""
        task = self._tasks.running(number)
        places = [TopicPartition(topic, number) for topic in task.offset_trackers] if task is not None else []
        found = {at.topic: self._first_held(at, positions.get(at)) for at in places}
        return {topic: position for topic, position in found.items() if position is not None}

    def standing(self, positions: Mapping[TopicPartition, int]) -> list[PartitionProgress]:
        """How far each partition is taken in, where the consumer has read to `positions`."""
        found = []
        for at in self._tasks.partitions():
            offset_tracker = self._tasks.tasks[at.partition].offset_trackers[at.topic]
            held = self._buffer.first(at)
            known = [
                offset
                for offset in (held.offset if held else positions.get(at), offset_tracker.next)
                if offset is not None
            ]
            found.append(
                PartitionProgress(at, max(known, default=None), len(offset_tracker), held.timestamp if held else None)
            )
        return found

    def restoring(self) -> tuple[Task, ...]:
        """Tasks whose stores have to be read before they run."""
        return self._tasks.restoring()

    @property
    def held(self) -> int:
        """Records that are read but not taken in."""
        return len(self._buffer)

    @property
    def in_flight(self) -> int:
        """Handlers that run now."""
        return self._dispatch.in_flight

    @property
    def is_draining(self) -> bool:
        """Whether handlers run, or what they left waits for its record to come again."""
        return self._dispatch.is_draining or bool(self._commits)

    @property
    def has_work(self) -> bool:
        """Whether records wait that could be taken in, or an end waits for its commit."""
        return bool(self._commits) or self._dispatch.has_released or any(True for _ in self._buffer.waiting())

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, is fetched, or waits for anything but control or a person."""
        return not (self.in_flight or self.is_fetching or self.has_work)

    @property
    def is_fetching(self) -> bool:
        """Whether deliveries wait for the records that they refer to."""
        return self._dispatch.is_fetching

    # ---- inside

    def _take_in(self, at: TopicPartition, held: deque[Record], task: Task, now: int, starts: list[Start]) -> None:
        offset_tracker, deliver = task.offset_trackers[at.topic], self._dispatch.deliver
        while held and not offset_tracker.is_full and not self._buffer.quarantine.holds(at):
            record = held.popleft()
            if offset_tracker.deliver(record.offset):
                deliver(record, task, now, starts)

    def _first_held(self, at: TopicPartition, position: int | None) -> int | None:
        held = self._buffer.first(at)
        return position if held is None else held.offset

    def _is_full(self, at: TopicPartition) -> bool:
        task = self._tasks.running(at.partition)
        return task is not None and task.offset_trackers[at.topic].is_full
