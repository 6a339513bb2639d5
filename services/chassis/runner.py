"""The state machine of a service: records, results and rebalances in, effects out. No I/O, no clock, no threads.

Everything that decides about delivery is here: which records are worked on, in what order, what is committed, and
what becomes of running handlers when partitions come and go. What a record *means* is the `Logic`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from services.chassis.backlog import Backlog
from services.chassis.commits import Commits
from services.chassis.lanes import Lanes
from services.chassis.logic import Logic
from services.chassis.offsets import MAX_ENDED, MAX_UNFINISHED
from services.chassis.records import Committed, Record, TopicPartition
from services.chassis.suspects import GIVEN_UP_AT, Suspects
from services.chassis.tasks import Task, Tasks
from services.chassis.work import (
    Batch,
    Cancel,
    Crashed,
    Delivery,
    Effect,
    Ended,
    Fetch,
    Heeded,
    Kind,
    Made,
    Pause,
    Pending,
    Result,
    Resume,
    Start,
    Wait,
)

__all__ = ["Logic", "Runner", "Standing"]

Place = tuple[str, int, int]


class Standing(NamedTuple):
    """How far a partition has been taken in (`position`: the next offset), what of it is not finished, and when the
    first record came that is read but not taken in (milliseconds UTC); none where that is not known here.
    """

    at: TopicPartition
    position: int | None
    unfinished: int
    oldest: int | None


UNKNOWN_ENDS: Mapping[TopicPartition, int] = MappingProxyType({})

REPORTED_AFTER = 1_000
"""Milliseconds that a handler runs before progress is reported of it."""

LOOKED_EVERY = 250
"""Milliseconds between looks at what has run for a while."""


class Runner:
    """Delivers records to the logic and keeps the books; see the module. `progress_every`: in milliseconds."""

    def __init__(self, logic: Logic, max_in_flight: int = 16, progress_every: int = 10_000) -> None:
        self._logic = logic
        self._tasks = Tasks(logic.topics, logic.stores, MAX_ENDED if logic.rules else MAX_UNFINISHED)
        self._lanes = Lanes(max_in_flight)
        self._backlog = Backlog()
        self._commits = Commits(self._tasks)
        self._suspects = Suspects(self._tasks, self._lanes, self._commits)
        self._orphans: dict[Place, Ended] = {}
        self._running: dict[Place, Delivery] = {}
        self._waiting: list[Delivery] = []
        self._fetches: list[Fetch] = []
        self._look_at = 0
        self._progress_every = progress_every
        self._stopping = False
        self.is_member = False
        self.heeds_control = logic.heeds_control

    # ---- rebalances

    def on_assign(self, committed: Mapping[TopicPartition, Committed | None]) -> list[Effect]:
        """Partitions are ours with what was committed of them; they wait for `on_restored`."""
        self.is_member = True
        self._tasks.assign(committed)
        self._orphans = {place: ended for place, ended in self._orphans.items() if self._is_wanted(place)}
        return self._cancel([delivery for place, delivery in self._running.items() if not self._is_wanted(place)])

    def on_restored(self, number: int, now: int, ends: Mapping[TopicPartition, int] = UNKNOWN_ENDS) -> list[Effect]:
        """The stores of a task are complete: it runs. One that stops reads on only to take its own work up again.

        `ends`: how far its partitions reached when it had been assigned.
        """
        task = self._tasks.start(number)
        if task is None or (self._stopping and not self._has_left(number)):
            return []
        for topic, ledger in task.ledgers.items():
            ledger.suspect_below(ends.get(TopicPartition(topic, number), 0))
        self._logic.restored(number, task.stores, now)
        return [*(Resume(TopicPartition(topic, number)) for topic in task.ledgers), *self._disturb({number})]

    def on_revoke(self) -> None:
        """All partitions have gone. Handlers run on; what ended but is not committed waits to be taken up again.

        But not what changes keyed state: its record may come again after others that it builds on differently.
        """
        self._orphans.update((ended.place, ended) for ended in self._commits.give_up() if not ended.changes)
        self._backlog.forget()
        self._forget_unstarted()
        self._tasks.revoke()
        self._logic.gone()
        self.is_member = False

    def on_lost(self) -> list[Effect]:
        """As `on_revoke`, but others may have gone on meanwhile: what builds on keyed state builds on an old one."""
        self.on_revoke()
        self._orphans = {place: ended for place, ended in self._orphans.items() if not ended.changes}
        return self._cancel([delivery for delivery in self._running.values() if delivery.state is not None])

    # ---- records and results

    def on_records(self, records: Iterable[Record]) -> None:
        """Records have been read; `pump` works on them."""
        self._backlog.add(records)

    def pump(self, now: int) -> list[Start]:
        """Take in what there is room for, start what may start; call again while it returns something."""
        starts: list[Start] = []
        for at, held in self._backlog.waiting():
            if (task := self._tasks.running(at.partition)) is not None:
                self._take_in(at, held, task, now, starts)
        while not self._stopping and (delivery := self._lanes.next()) is not None:
            self._start(delivery, now, starts)
        self._suspects.turn()
        return starts

    def regulate(self) -> list[Effect]:
        """Pause what running handlers block and what stands still, resume it when that is over; after each commit.

        Not sooner: a pause throws away what the client has fetched ahead.
        """
        return self._backlog.regulate(self._is_full)

    def on_done(self, delivery: Delivery, result: Result, now: int) -> None:
        """A handler has ended."""
        if self._running.get(delivery.place) is not delivery:
            return
        del self._running[delivery.place]
        self._lanes.leave(delivery)
        self._suspects.leave(delivery)
        ended = self._logic.conclude(delivery, result, now)
        task = self._tasks.running(delivery.record.partition)
        if task is not None and task.ledgers[delivery.record.topic].has(delivery.record.offset):
            self._end(ended, task)
        else:
            self._orphans[delivery.place] = ended

    # ---- control, references, progress

    def on_control(self, records: Iterable[Record]) -> list[Effect]:
        """Records of `saga.control`: what waited is looked at again, and running handlers may have to hear of it.

        Not before their task runs again: until then control is read from its beginning, and may say what is over.
        """
        told: set[int] = set()
        for record in records:
            told.add(record.partition)
            self._backlog.heed(record.partition, self._logic.heed(record))
        if told:
            waiting, self._waiting = self._waiting, []
            for delivery in waiting:
                self._lanes.release(delivery)
        return self._disturb({number for number in told if self._tasks.running(number) is not None})

    def fetches(self) -> list[Fetch]:
        """The references to be read since the last time."""
        wanted, self._fetches = self._fetches, []
        return wanted

    def on_fetched(self, delivery: Delivery) -> None:
        """The cause of a delivery has been read, or cannot be; it may start."""
        self._lanes.release(delivery)

    def on_tick(self, now: int) -> None:
        """Report what has run for a while; called often, looks seldom."""
        if now < self._look_at:
            return
        self._look_at = now + LOOKED_EVERY
        for delivery in [one for one in self._running.values() if one.report_at <= now]:
            task = self._tasks.running(delivery.record.partition)
            if task is not None and (made := self._logic.progress(delivery, now)) is not None:
                delivery.report_at = now + self._progress_every
                self._commits.make(made, task)

    def add(self, made: Made) -> None:
        """Something is to be written for a task; dropped if it is not ours or does not run."""
        if (task := self._tasks.running(made.number)) is not None:
            self._commits.make(made, task)

    def keep_still(self, number: int, topics: frozenset[str]) -> None:
        """Take in nothing of these topics of a task from now on, but of all others."""
        self._backlog.heed(number, Heeded(topics))

    def make(self, now: int) -> None:
        """Ask for what is to be written without a record that asks for it; between taking in and committing."""
        for number in () if self._stopping else self._tasks.working_on():
            task = self._tasks.tasks[number]
            for made in self._logic.make(number, task.stores, now):
                self._commits.make(made, task)

    def on_stop(self) -> list[Effect]:
        """Take nothing more; what runs may end. What comes all the same stays open, for the next owner."""
        self._stopping = True
        self._backlog.drop()
        self._forget_unstarted()
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
        self._suspects.committed(batch)

    def waiting(self) -> tuple[Pending, ...]:
        """Everything that waits for its commit, in the order it came: later changes of a key build on earlier ones."""
        return self._commits.waiting()

    def refuse(self, one: Pending, reason: str, now: int) -> Ended | None:
        """Kafka does not take what this led to: a record ends as failed instead, anything else is given up."""
        if isinstance(one, Ended):
            instead = self._logic.refuse(one, reason, now)
            self._commits.replace(one, instead)
            return instead
        self._commits.drop(one)
        if isinstance(one, Made):
            self._logic.dropped(one)
        return None

    # ---- what is seen from outside

    def quarantined(self) -> tuple[TopicPartition, ...]:
        """Partitions that stand still because most of their records are dead letters."""
        return self._backlog.quarantine.partitions()

    def working_on(self) -> tuple[int, ...]:
        """Numbers of the tasks that run."""
        return self._tasks.working_on()

    def incomplete(self) -> tuple[int, ...]:
        """Task numbers of which some topics are assigned elsewhere."""
        return self._tasks.incomplete()

    def taken_in(self, number: int, positions: Mapping[TopicPartition, int]) -> Mapping[str, int]:
        """How far each topic of a task has been taken in, where the consumer has read to `positions`."""
        task = self._tasks.running(number)
        places = [TopicPartition(topic, number) for topic in task.ledgers] if task is not None else []
        found = {at.topic: self._first_held(at, positions.get(at)) for at in places}
        return {topic: position for topic, position in found.items() if position is not None}

    def standing(self, positions: Mapping[TopicPartition, int]) -> list[Standing]:
        """How far each partition is taken in, where the consumer has read to `positions`."""
        found = []
        for at in self._tasks.partitions():
            ledger = self._tasks.tasks[at.partition].ledgers[at.topic]
            held = self._backlog.first(at)
            known = [
                offset for offset in (held.offset if held else positions.get(at), ledger.next) if offset is not None
            ]
            found.append(Standing(at, max(known, default=None), len(ledger), held.timestamp if held else None))
        return found

    def restoring(self) -> tuple[Task, ...]:
        """Tasks whose stores have to be read before they run."""
        return self._tasks.restoring()

    @property
    def held(self) -> int:
        """Records that are read but not taken in."""
        return len(self._backlog)

    @property
    def in_flight(self) -> int:
        """Handlers that run now."""
        return len(self._running)

    @property
    def is_draining(self) -> bool:
        """Whether handlers run, or what they left waits for its record to come again."""
        return bool(self._running or self._orphans or self._commits)

    @property
    def has_work(self) -> bool:
        """Whether records wait that could be taken in, or an end waits for its commit."""
        return bool(self._commits) or self._suspects.has_released or any(True for _ in self._backlog.waiting())

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, is fetched, or waits for anything but control or a person."""
        return not (self._running or self.is_fetching or self.has_work)

    @property
    def is_fetching(self) -> bool:
        """Whether deliveries wait for the records that they refer to."""
        return self._lanes.held > len(self._waiting)

    # ---- inside

    def _take_in(self, at: TopicPartition, held: deque[Record], task: Task, now: int, starts: list[Start]) -> None:
        ledger = task.ledgers[at.topic]
        while held and not ledger.is_full and not self._backlog.quarantine.holds(at):
            record = held.popleft()
            if ledger.deliver(record.offset):
                self._deliver(record, task, now, starts)

    def _deliver(self, record: Record, task: Task, now: int, starts: list[Start]) -> None:
        if (self._orphans or self._running) and self._take_up_again(record, task):
            return
        if self._stopping:
            return
        found = self._logic.route(record, task.stores, now)
        if isinstance(found, Ended):
            self._end(found, task)
        elif self._lanes.enter(found):
            self._start(found, now, starts)

    def _take_up_again(self, record: Record, task: Task) -> bool:
        """Whether this record's work runs already, or has ended without its commit, in this process."""
        place = record.place
        if ended := self._orphans.pop(place, None):
            self._end(ended, task)
            return True
        if place not in self._running:
            return False
        ledger = task.ledgers[record.topic]
        ledger.acquit(record.offset)
        if not ledger.is_worked_on:
            self._commits.request(record.partition)
        return True

    def _start(self, delivery: Delivery, now: int, starts: list[Start]) -> None:
        task = self._tasks.tasks[delivery.record.partition]
        match self._logic.admit(delivery, task.stores, now):
            case Start() as start:
                ledger = task.ledgers[delivery.record.topic]
                if ledger.may_start(delivery.record.offset):
                    delivery.report_at = now + REPORTED_AFTER
                    self._running[delivery.place] = delivery
                    starts.append(start)
                elif (crashes := ledger.crashes(delivery.record.offset)) < GIVEN_UP_AT:
                    self._suspects.hold_up(delivery, crashes)
                else:
                    self._leave(self._logic.conclude(delivery, Crashed(crashes), now), delivery, task)
            case Ended() as ended:
                self._leave(ended, delivery, task)
            case Wait():
                self._suspects.leave(delivery)
                self._lanes.hold(delivery)
                self._waiting.append(delivery)
            case Fetch() as fetch:
                self._lanes.hold(delivery)
                self._fetches.append(fetch)

    def _leave(self, ended: Ended, delivery: Delivery, task: Task) -> None:
        """It ends without having run."""
        self._lanes.leave(delivery)
        self._suspects.leave(delivery)
        self._end(ended, task)

    def _disturb(self, numbers: Collection[int]) -> list[Effect]:
        """Have running handlers of these tasks hear what control says of them."""
        running = (delivery for delivery in self._running.values() if delivery.record.partition in numbers)
        return [effect for delivery in running if (effect := self._logic.disturb(delivery)) is not None]

    def _forget_unstarted(self) -> None:
        """What has not started comes again, to somebody."""
        self._lanes.keep_running()
        self._suspects.keep(self._running.values())
        self._waiting.clear()
        self._fetches.clear()

    def _end(self, ended: Ended, task: Task) -> None:
        self._commits.add(ended, task)
        if ended.kind is Kind.DEAD and not self._logic.rules:  # who rules has to read on, whatever there is
            record = ended.record
            seen = task.ledgers[record.topic].ended
            self._backlog.quarantine.note_dead(TopicPartition(record.topic, record.partition), seen)

    def _cancel(self, unwanted: Sequence[Delivery]) -> list[Effect]:
        for delivery in unwanted:
            del self._running[delivery.place]
            self._lanes.leave(delivery)
            self._suspects.leave(delivery)
        return [Cancel(delivery) for delivery in unwanted]

    def _has_left(self, number: int) -> bool:
        """Whether a task has handlers that run, or outcomes that wait for their record."""
        return any(place[1] == number for place in (*self._running, *self._orphans))

    def _first_held(self, at: TopicPartition, position: int | None) -> int | None:
        held = self._backlog.first(at)
        return position if held is None else held.offset

    def _is_full(self, at: TopicPartition) -> bool:
        task = self._tasks.running(at.partition)
        return task is not None and task.ledgers[at.topic].is_full

    def _is_wanted(self, place: Place) -> bool:
        """Whether work on the record at `place` is still ours, and not done by somebody else meanwhile."""
        task = self._tasks.assigned(place[1])
        return task is not None and place[0] in task.ledgers and task.ledgers[place[0]].is_unfinished(place[2])
