"""The way of a record that has been taken in to its end: at once, or by a handler that starts, runs and has a result.

What a record means is the `Processor`'s, when its handler starts and what its result leads to the `HandlerPolicy`'s.
No I/O, no clock, no threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.engine.buffer import RecordBuffer
from kafka_saga.engine.crash_loop import GIVEN_UP_AT, CrashLoopGuard
from kafka_saga.engine.key_ordering import KeyOrdering
from kafka_saga.engine.pending_commits import PendingCommits
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.tasks import Task, Tasks
from kafka_saga.engine.work import (
    Batch,
    Cancel,
    Crashed,
    Delivery,
    Effect,
    Ended,
    Fetch,
    Kind,
    Result,
    Start,
    Wait,
)
from kafka_saga.errors import TopologyError

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""

REPORTED_AFTER = 1_000
"""Milliseconds that a handler runs before progress is reported of it."""

LOOKED_EVERY = 250
"""Milliseconds between looks at what has run for a while."""


class Dispatch:
    """Routes records, and keeps the deliveries: those that wait, that run, and that ended without their commit.

    At most `max_in_flight` handlers run that are not inline; progress is reported every `progress_every` milliseconds.
    """

    def __init__(
        self,
        roles: Roles,
        tasks: Tasks,
        buffer: RecordBuffer,
        commits: PendingCommits,
        max_in_flight: int,
        progress_every: int,
    ) -> None:
        self._processor = roles.processor
        self._handlers = roles.handlers
        self._punctuator = roles.punctuator
        self._tasks = tasks
        self._buffer = buffer
        self._commits = commits
        self._ordering = KeyOrdering(max_in_flight)
        self._crash_loops = CrashLoopGuard(tasks, self._ordering, commits)
        self._orphans: dict[Place, Ended] = {}
        self._running: dict[Place, Delivery] = {}
        self._waiting: list[Delivery] = []
        self._fetches: list[Fetch] = []
        self._look_at = 0
        self._progress_every = progress_every
        self.is_stopping = False

    # ---- rebalances

    def reassigned(self) -> list[Effect]:
        """Other partitions are ours: what belongs to none of them is given up."""
        self._orphans = {place: ended for place, ended in self._orphans.items() if self._is_wanted(place)}
        return self._cancel([delivery for place, delivery in self._running.items() if not self._is_wanted(place)])

    def revoked(self, uncommitted: Iterable[Ended]) -> None:
        """As `Runner.on_revoke`."""
        self._orphans.update((ended.place, ended) for ended in uncommitted if not ended.changes)
        self._forget_unstarted()

    def lost(self) -> list[Effect]:
        """As `Runner.on_lost`, after `revoked`."""
        self._orphans = {place: ended for place, ended in self._orphans.items() if not ended.changes}
        return self._cancel([delivery for delivery in self._running.values() if delivery.state is not None])

    def stop(self) -> None:
        """Start nothing more; what runs may end."""
        self.is_stopping = True
        self._forget_unstarted()

    def has_left(self, number: int) -> bool:
        """Whether a task has handlers that run, or outcomes that wait for their record."""
        return any(place[1] == number for place in (*self._running, *self._orphans))

    # ---- records and results

    def deliver(self, record: Record, task: Task, now: int, starts: list[Start]) -> None:
        """A record has been taken in; what may start at once is added to `starts`."""
        if (self._orphans or self._running) and self._take_up_again(record, task):
            return
        if self.is_stopping:
            return
        found = self._processor.route(record, task.stores, now)
        if isinstance(found, Ended):
            self._end(found, task)
        elif self._ordering.enter(found):
            self._start(found, now, starts)

    def start_ready(self, now: int, starts: list[Start]) -> None:
        """Add what may start by now to `starts`, and ask for the commits that others wait for."""
        while not self.is_stopping and (delivery := self._ordering.next()) is not None:
            self._start(delivery, now, starts)
        self._crash_loops.turn()

    def on_done(self, delivery: Delivery, result: Result, now: int) -> None:
        """A handler has ended."""
        place = delivery.place
        if self._handlers is None or self._running.get(place) is not delivery:
            return
        del self._running[place]
        self._ordering.leave(delivery)
        self._crash_loops.leave(delivery)
        ended = self._handlers.on_result(delivery, result, now)
        task = self._tasks.running(delivery.record.partition)
        if task is not None and task.offset_trackers[delivery.record.topic].has(delivery.record.offset):
            self._end(ended, task)
        else:
            self._orphans[place] = ended

    def on_committed(self, batch: Batch) -> None:
        """The batch is on the log."""
        self._crash_loops.committed(batch)

    # ---- control, references, progress

    @property
    def heeds_control(self) -> bool:
        """Whether `saga.control` concerns it: as far as there are handlers."""
        return self._handlers is not None

    def on_control(self, records: Iterable[Record]) -> list[Effect]:
        """As `Runner.on_control`."""
        if self._handlers is None:
            return []
        told: set[int] = set()
        for record in records:
            told.add(record.partition)
            self._buffer.on_control(record.partition, self._handlers.on_control(record))
        if told:
            waiting, self._waiting = self._waiting, []
            self._ordering.put_back(waiting)
        return self.on_cancel({number for number in told if self._tasks.running(number) is not None})

    def on_cancel(self, numbers: Collection[int]) -> list[Effect]:
        """What running handlers of these tasks have to hear of control."""
        if self._handlers is None:
            return []
        running = (delivery for delivery in self._running.values() if delivery.record.partition in numbers)
        return [effect for delivery in running if (effect := self._handlers.on_cancel(delivery)) is not None]

    def fetches(self) -> list[Fetch]:
        """The references to be read since the last time."""
        wanted, self._fetches = self._fetches, []
        return wanted

    def on_fetched(self, delivery: Delivery) -> None:
        """The cause of a delivery has been read, or cannot be; it may start."""
        self._ordering.release(delivery)

    def on_tick(self, now: int) -> None:
        """Report what has run for a while; called often, looks seldom."""
        if self._handlers is None or now < self._look_at:
            return
        self._look_at = now + LOOKED_EVERY
        for delivery in [one for one in self._running.values() if one.report_at <= now]:
            task = self._tasks.running(delivery.record.partition)
            if task is not None and (made := self._handlers.progress(delivery, now)) is not None:
                delivery.report_at = now + self._progress_every
                self._commits.make(made, task)

    # ---- what is seen from outside

    @property
    def in_flight(self) -> int:
        """Handlers that run now."""
        return len(self._running)

    @property
    def is_draining(self) -> bool:
        """Whether handlers run, or what they left waits for its record to come again."""
        return bool(self._running or self._orphans)

    @property
    def has_released(self) -> bool:
        """Whether the last commit lets deliveries start."""
        return self._crash_loops.has_released

    @property
    def is_fetching(self) -> bool:
        """Whether deliveries wait for the records that they refer to."""
        return self._ordering.held > 0

    # ---- inside

    def _take_up_again(self, record: Record, task: Task) -> bool:
        """Whether this record's work runs already, or has ended without its commit, in this process."""
        place = record.place
        if ended := self._orphans.pop(place, None):
            self._end(ended, task)
            return True
        if place not in self._running:
            return False
        offset_tracker = task.offset_trackers[record.topic]
        offset_tracker.acquit(record.offset)
        if not offset_tracker.is_worked_on:
            self._commits.request(record.partition)
        return True

    def _start(self, delivery: Delivery, now: int, starts: list[Start]) -> None:
        if self._handlers is None:
            raise TopologyError(f"{delivery.record.where} asks for a handler: the roles lack a handler policy")
        task = self._tasks.tasks[delivery.record.partition]
        match self._handlers.admit(delivery, task.stores, now):
            case Start() as start:
                offset_tracker = task.offset_trackers[delivery.record.topic]
                if offset_tracker.may_start(delivery.record.offset):
                    delivery.report_at = now + REPORTED_AFTER
                    self._running[delivery.place] = delivery
                    starts.append(start)
                elif (crashes := offset_tracker.crashes(delivery.record.offset)) < GIVEN_UP_AT:
                    self._crash_loops.hold_up(delivery, crashes)
                else:
                    self._leave(self._handlers.on_result(delivery, Crashed(crashes), now), delivery, task)
            case Ended() as ended:
                self._leave(ended, delivery, task)
            case Wait():
                self._crash_loops.leave(delivery)
                self._ordering.leave(delivery)
                self._waiting.append(delivery)
            case Fetch() as fetch:
                self._ordering.hold(delivery)
                self._fetches.append(fetch)

    def _leave(self, ended: Ended, delivery: Delivery, task: Task) -> None:
        """It ends without having run."""
        self._ordering.leave(delivery)
        self._crash_loops.leave(delivery)
        self._end(ended, task)

    def _end(self, ended: Ended, task: Task) -> None:
        self._commits.add(ended, task)
        # What is decided by time waits for everything to be read: a partition of dead letters must not hold it up.
        if ended.kind is Kind.DEAD and self._punctuator is None:
            record = ended.record
            seen = task.offset_trackers[record.topic].ended
            self._buffer.quarantine.note_dead(TopicPartition(record.topic, record.partition), seen)

    def _cancel(self, unwanted: Sequence[Delivery]) -> list[Effect]:
        for delivery in unwanted:
            del self._running[delivery.place]
            self._ordering.leave(delivery)
            self._crash_loops.leave(delivery)
        return [Cancel(delivery) for delivery in unwanted]

    def _forget_unstarted(self) -> None:
        """What has not started comes again, to whoever owns its partition then."""
        self._ordering.keep_running()
        self._crash_loops.keep(self._running.values())
        self._waiting.clear()
        self._fetches.clear()

    def _is_wanted(self, place: Place) -> bool:
        """Whether work on the record at `place` is still ours, and not done by somebody else meanwhile."""
        task = self._tasks.assigned(place[1])
        return (
            task is not None
            and place[0] in task.offset_trackers
            and task.offset_trackers[place[0]].is_unfinished(place[2])
        )
