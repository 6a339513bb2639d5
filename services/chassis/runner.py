"""The state machine of a service: records, results and rebalances in, effects out. No I/O, no clock, no threads.

Everything that decides about delivery is here: which records are worked on, in what order, what is committed, and
what becomes of running handlers when partitions come and go. What a record *means* is the `Logic`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.chassis.commits import Commits
from services.chassis.keyed import Store, StoreSpec
from services.chassis.lanes import Lanes
from services.chassis.quarantine import Quarantine
from services.chassis.records import Committed, Record, TopicPartition
from services.chassis.tasks import Task, Tasks
from services.chassis.work import Batch, Cancel, Delivery, Effect, Ended, Kind, Pause, Result, Resume, Start

Place = tuple[str, int, int]
Stores = Mapping[str, Store]


class Logic(Protocol):
    """What records mean to a service."""

    topics: tuple[str, ...]
    stores: tuple[StoreSpec, ...]

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """What to do with a record just taken in."""

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Ended:
        """The last look before a handler runs."""

    def conclude(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """What a handler's result leads to."""

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """What to commit in place of records that Kafka will not take."""


class Runner:
    """Delivers records to the logic and keeps the books; see the module."""

    def __init__(self, logic: Logic, max_in_flight: int = 16) -> None:
        self._logic = logic
        self._tasks = Tasks(logic.topics, logic.stores)
        self._lanes = Lanes(max_in_flight)
        self._held: dict[TopicPartition, deque[Record]] = {}
        self._paused: set[TopicPartition] = set()
        self._commits = Commits(self._tasks)
        self._orphans: dict[Place, Ended] = {}
        self._running: dict[Place, Delivery] = {}
        self._quarantine = Quarantine()
        self._stopping = False
        self.is_member = False

    # ---- rebalances

    def on_assign(self, committed: Mapping[TopicPartition, Committed | None]) -> list[Effect]:
        """Partitions are ours with what was committed of them; they wait for `on_restored`."""
        self.is_member = True
        self._tasks.assign(committed)
        self._orphans = {place: ended for place, ended in self._orphans.items() if self._is_wanted(place)}
        return self._cancel([delivery for place, delivery in self._running.items() if not self._is_wanted(place)])

    def on_restored(self, number: int) -> list[Effect]:
        """The stores of a task are complete: it runs. One that stops reads on only to take its own work up again."""
        task = self._tasks.start(number)
        if task is None or (self._stopping and not self._has_left(number)):
            return []
        return [Resume(TopicPartition(topic, number)) for topic in task.ledgers]

    def on_revoke(self) -> None:
        """All partitions have gone. Handlers run on; what ended but is not committed waits to be taken up again."""
        self._orphans.update((ended.place, ended) for ended in self._commits.give_up())
        self._held.clear()
        self._paused.clear()
        self._lanes.keep_running()
        self._quarantine = Quarantine()
        self._tasks.revoke()
        self.is_member = False

    def on_lost(self) -> list[Effect]:
        """As `on_revoke`, but others may have gone on meanwhile: what builds on keyed state builds on an old one."""
        self.on_revoke()
        self._orphans = {place: ended for place, ended in self._orphans.items() if not ended.changes}
        return self._cancel([delivery for delivery in self._running.values() if delivery.state is not None])

    # ---- records and results

    def on_records(self, records: Iterable[Record]) -> None:
        """Records have been read; `pump` works on them."""
        for record in records:
            at = TopicPartition(record.topic, record.partition)
            held = self._held.get(at)
            if held is None:
                held = self._held[at] = deque()
            held.append(record)

    def pump(self, now: int) -> list[Start]:
        """Take in what there is room for, start what may start; call again while it returns something."""
        starts: list[Start] = []
        for at, held in self._held.items():
            task = self._tasks.running(at.partition)
            if held and task is not None:
                self._take_in(at, held, task, now, starts)
        while not self._stopping and (delivery := self._lanes.next()) is not None:
            self._start(delivery, now, starts)
        return starts

    def regulate(self) -> list[Effect]:
        """Pause what running handlers block and what stands still, resume it when that is over; after each commit.

        Not sooner: a pause throws away what the client has fetched ahead.
        """
        effects: list[Effect] = []
        for at, held in self._held.items():
            is_blocked = self._quarantine.holds(at) or (bool(held) and self._is_full(at))
            if is_blocked and at not in self._paused:
                self._paused.add(at)
                effects.append(Pause(at))
            elif not (is_blocked or held) and at in self._paused:
                self._paused.discard(at)
                effects.append(Resume(at))
        return effects

    def on_done(self, delivery: Delivery, result: Result, now: int) -> None:
        """A handler has ended."""
        if self._running.get(delivery.place) is not delivery:
            return
        del self._running[delivery.place]
        self._lanes.leave(delivery)
        ended = self._logic.conclude(delivery, result, now)
        task = self._tasks.running(delivery.record.partition)
        if task is not None and task.ledgers[delivery.record.topic].has(delivery.record.offset):
            self._end(ended, task)
        else:
            self._orphans[delivery.place] = ended

    def on_stop(self) -> list[Effect]:
        """Take nothing more; what runs may end. What comes all the same stays open, for the next owner."""
        self._stopping = True
        self._held.clear()
        self._lanes.keep_running()
        return [Pause(at) for at in self._tasks.partitions()]

    # ---- commits

    def batch(self, *, clean: bool = False) -> Batch | None:
        """Everything that has ended since the last commit; none if there is nothing."""
        return self._commits.batch(clean=clean)

    def single(self, ended: Ended) -> Batch:
        """One ended record alone, the others left open: for a batch that Kafka does not take."""
        return self._commits.single(ended)

    def on_committed(self, batch: Batch) -> None:
        """The batch is on the log."""
        self._commits.settle(batch)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """Kafka does not take what this record led to: end it as failed instead."""
        instead = self._logic.refuse(ended, reason, now)
        self._commits.replace(ended, instead)
        return instead

    # ---- what is seen from outside

    def quarantined(self) -> tuple[TopicPartition, ...]:
        """Partitions that stand still because most of their records are dead letters."""
        return self._quarantine.partitions()

    def working_on(self) -> tuple[int, ...]:
        """Numbers of the tasks that run."""
        return self._tasks.working_on()

    def incomplete(self) -> tuple[int, ...]:
        """Task numbers of which some topics are assigned elsewhere."""
        return self._tasks.incomplete()

    def restoring(self) -> tuple[Task, ...]:
        """Tasks whose stores have to be read before they run."""
        return self._tasks.restoring()

    @property
    def held(self) -> int:
        """Records that are read but not taken in."""
        return sum(map(len, self._held.values()))

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
        return bool(self._commits) or any(held and not self._quarantine.holds(at) for at, held in self._held.items())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held, running or waiting for a commit."""
        return not (self._running or self._commits or any(self._held.values()))

    # ---- inside

    def _take_in(self, at: TopicPartition, held: deque[Record], task: Task, now: int, starts: list[Start]) -> None:
        ledger = task.ledgers[at.topic]
        while held and not ledger.is_full and not self._quarantine.holds(at):
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
        return place in self._running

    def _start(self, delivery: Delivery, now: int, starts: list[Start]) -> None:
        task = self._tasks.tasks[delivery.record.partition]
        found = self._logic.admit(delivery, task.stores, now)
        if isinstance(found, Ended):
            self._lanes.leave(delivery)
            self._end(found, task)
        else:
            self._running[delivery.place] = delivery
            starts.append(found)

    def _end(self, ended: Ended, task: Task) -> None:
        self._commits.add(ended, task)
        if ended.kind is Kind.DEAD:
            record = ended.record
            seen = task.ledgers[record.topic].ended
            self._quarantine.note_dead(TopicPartition(record.topic, record.partition), seen)

    def _cancel(self, unwanted: Sequence[Delivery]) -> list[Effect]:
        for delivery in unwanted:
            del self._running[delivery.place]
            self._lanes.leave(delivery)
        return [Cancel(delivery) for delivery in unwanted]

    def _has_left(self, number: int) -> bool:
        """Whether a task has handlers that run, or outcomes that wait for their record."""
        return any(place[1] == number for place in (*self._running, *self._orphans))

    def _is_full(self, at: TopicPartition) -> bool:
        task = self._tasks.running(at.partition)
        return task is not None and task.ledgers[at.topic].is_full

    def _is_wanted(self, place: Place) -> bool:
        """Whether work on the record at `place` is still ours, and not done by somebody else meanwhile."""
        task = self._tasks.assigned(place[1])
        return task is not None and place[0] in task.ledgers and task.ledgers[place[0]].is_unfinished(place[2])
