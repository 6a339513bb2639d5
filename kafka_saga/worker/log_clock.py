"""What time it is on the log, and up to when everything on it has been read: the ground that rulings stand on.

A decision that depends on what has *not* arrived is made only after reading past the watermarks that were asked for
after its time. The broker's clock is the only one that counts: its time is that of the records it stamps, and what
has passed here since they were read; a task that hears of nothing writes a tick to learn it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.broker.watermarks import Watermarks
from kafka_saga.definition.topics import SAGA_STEPS
from kafka_saga.engine.processor import Timers
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Write
from kafka_saga.worker.even_reading import EvenReading

LOG = logging.getLogger("saga.log_clock")

TICK_EVERY = 10.0
"""Seconds without a record after which a task that waits for a time writes a tick."""

LONG = 60.0
"""Seconds after which watermarks should have been reached; no service of ours holds a transaction open so long."""

SOON = 0.005
"""Seconds to wait for records while watermarks are to be reached."""

TICK_TYPE = b"saga.tick"


class Heard(NamedTuple):
    """The broker's time of a record (milliseconds UTC), and when it was read here (monotonic seconds)."""

    time: int
    at: float


class AskedWatermarks(NamedTuple):
    """Watermarks of a task's inputs, and the broker's time when they were asked for, at the earliest."""

    until: int
    ends: Mapping[TopicPartition, int]
    look_at: float = math.inf
    """When to look why they are not reached (monotonic seconds)."""


class LogClock:
    """Watches over the tasks of one worker, which consumes `topics`; `advance` in every turn."""

    def __init__(self, cluster: Cluster, runner: Runner, topics: Sequence[str], timers: Timers, clock: Clock) -> None:
        self._runner = runner
        self._topics = topics
        self._timers = timers
        self._clock = clock
        self._heard: dict[int, Heard] = {}
        self._ticked: dict[int, float] = {}
        self._asked: dict[int, AskedWatermarks] = {}
        self._evenness = EvenReading()
        self._holds_up = False
        self._watermarks = Watermarks(cluster, clock, LOG)

    def hear(self, records: Sequence[Record]) -> None:
        """Records have been read: the broker's clock is at least as far."""
        if not records:
            return
        at = self._clock.monotonic()
        fronts = {(record.topic, record.partition): record.timestamp for record in records}
        self._evenness.note(fronts)
        for (_, number), time in fronts.items():
            if time > (self.now(number) or 0):
                self._heard[number] = Heard(time, at)
            self._ticked[number] = at

    def forget(self) -> None:
        """The tasks have gone."""
        self._evenness.forget()
        self._heard.clear()
        self._ticked.clear()
        self._asked.clear()

    def even_out(self, ended: Callable[[], Collection[TopicPartition]]) -> None:
        """Hold up the inputs that are far ahead; `ended`: those of which everything there is has been read."""
        numbers = self._runner.working_on()
        at_end = ended() if numbers else ()
        self._holds_up = False
        for number in numbers:
            still = self._evenness.ahead(number, self._topics, at_end)
            self._holds_up = self._holds_up or bool(still)
            self._runner.keep_still(number, still)

    def now(self, number: int) -> int | None:
        """The broker's time, at the least; none if a task has heard of nothing yet."""
        heard = self._heard.get(number)
        return None if heard is None else heard.time + round((self._clock.monotonic() - heard.at) * 1000)

    def advance(self, positions: Callable[[], Mapping[TopicPartition, int]]) -> None:
        """Ask for the watermarks of tasks whose time has come; tell those that have read past theirs.

        `positions`: how far the consumer has read.
        """
        self._ask([number for number in self._runner.working_on() if self._is_time(number)])
        if not self._asked:
            return
        known = positions()
        for number, asked in list(self._asked.items()):
            read = self._runner.taken_in(number, known)
            if all(read.get(at.topic, 0) >= end for at, end in asked.ends.items()):
                del self._asked[number]
                self._timers.reach(number, asked.until, read)
            elif self._clock.monotonic() >= asked.look_at:
                self._asked[number] = asked._replace(look_at=self._clock.monotonic() + LONG)
                self._look(number, asked)

    @property
    def is_due(self) -> bool:
        """Whether there is something to do now if nothing is read: to look whether inputs are still to be held up, or
        watermarks reached, or to see to a task whose time or tick has come.
        """
        if self._holds_up or self._asked:
            return True
        return any(self._may_go_on(number) for number in self._runner.working_on())

    def wait(self, most: float) -> float:
        """Seconds, up to `most`, that may pass until there is something to look at again."""
        if self._asked or most <= SOON:
            return min(most, SOON)
        dues = [self._timers.due_at(number) for number in self._runner.working_on()]
        left = [
            (due - now) / 1000
            for number, due in zip(self._runner.working_on(), dues, strict=True)
            if due is not None and (now := self.now(number)) is not None
        ]
        return max(min(most, SOON), min((most, *left)))

    def _is_time(self, number: int) -> bool:
        due = self._timers.due_at(number)
        if due is None or number in self._asked:
            return False
        now = self.now(number)
        self._tick(number)
        return now is not None and due < now

    def _may_go_on(self, number: int) -> bool:
        """Whether a task waits for a time that has come, or for one of which nothing has been heard for a while."""
        due = self._timers.due_at(number)
        if due is None:
            return False
        now = self.now(number)
        return self._is_silent(number) or (now is not None and due < now)

    def _is_silent(self, number: int) -> bool:
        """Whether nothing has been heard of the time for a while."""
        return number not in self._ticked or self._clock.monotonic() - self._ticked[number] >= TICK_EVERY

    def _tick(self, number: int) -> None:
        """Nothing has been heard for a while: a record of our own tells the time, when it comes back."""
        if self._is_silent(number):
            self._ticked[number] = self._clock.monotonic()
            self._runner.add(Write(number, [Outgoing(SAGA_STEPS, number, None, None, [("ce_type", TICK_TYPE)])]))

    def _ask(self, numbers: Iterable[int]) -> None:
        wanted = {number: now for number in numbers if (now := self.now(number)) is not None}
        places = [TopicPartition(topic, number) for number in wanted for topic in self._topics]
        ends = self._watermarks.ask(places, in_vain="nothing can be ruled yet") if wanted else None
        if ends is None:
            return
        for number, now in wanted.items():
            own = {at: end for at, end in ends.items() if at.partition == number}
            self._asked[number] = AskedWatermarks(now, own, self._clock.monotonic() + LONG)

    def _look(self, number: int, asked: AskedWatermarks) -> None:
        """Say which input is not read on because of a transaction without an end: nothing is ruled until it has one."""
        # Old enough by now, not when the watermarks were asked for: it may have been written just before that.
        before = (self.now(number) or asked.until) - round(LONG * 1000)
        for at, offset in self._watermarks.undecided(tuple(asked.ends), before).items():
            LOG.error(
                "%s[%d]: nobody reads on behind offset %d, where a transaction has no end, and nothing is ruled there: "
                "`saga kafka hanging --abort` ends it", *at, offset,
            )  # fmt: skip
