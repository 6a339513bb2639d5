"""A whole saga system in one thread: services and trackers that take turns on the in-memory log, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TypeVar

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.log import all_in_order
from kafka_saga.broker.port import FencedError
from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STATE, SAGA_STEPS, TopicFactory, state_topic, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.processor import Roles
from kafka_saga.errors import UnavailableError
from kafka_saga.events.event import Event
from kafka_saga.steps.definition_registry import stated
from kafka_saga.testing.connection import Broker
from kafka_saga.testing.dues import Dues
from kafka_saga.testing.executor import Interfere, undisturbed
from kafka_saga.testing.process import Name, SimulatedProcess, Surroundings
from kafka_saga.tracker.core.state import SagaState, decode
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.wire.codec import Codec
from kafka_saga.worker.service import Service

E = TypeVar("E", bound=Event)

PARTITIONS = 4
MANY_TURNS = 20_000
TRACKER = "tracker"

QUIET_TURNS = 5
"""Rounds in which nothing is written after which nothing will be: a rebalance takes two, restoring one or two more."""

ROUND = 0.001
"""Seconds that a round takes in which something was written, so that log times tell the order of causes."""

SHORT_JUMP = 5.0
"""Seconds that pass at once at most while things happen: sessions and transactions of the dead end after ten."""


PATIENCE = 5
"""Short jumps in which nothing happens after which what is overdue is given up: a saga that is held up."""


def _nobody_hears(name: str) -> None:
    """The default of a system's `on_exit` hook: a process that had to exit stays away."""


class NeverAtRestError(AssertionError):
    """A system goes on writing without end."""


class System:
    """Services and trackers on one in-memory Kafka; nothing happens unless one of the methods is called."""

    def __init__(
        self,
        definitions: Sequence[Saga],
        *,
        partitions: int = PARTITIONS,
        blobs: str = "memory://saga-testing",
        interfere: Interfere = undisturbed,
    ) -> None:
        self.clock = VirtualClock()
        self.cluster = MemoryCluster(self.clock)
        self.broker = Broker()
        self.definitions = tuple(definitions)
        self.processes: dict[str, SimulatedProcess] = {}
        self.current: SimulatedProcess | None = None
        self.on_exit: Callable[[str], object] = _nobody_hears
        self._partitions = partitions
        self._statements = tuple(map(stated, self.definitions))
        self._around = Surroundings(self.cluster, self.broker, BlobStore(blobs), interfere)
        self._dues = Dues(self.cluster)
        self._incarnations = count()
        self._publisher = self.cluster.publisher()
        self.cluster.admin().create_missing(topics_of(self.definitions, TopicFactory(partitions)))

    # ---- processes

    def start(self, service: Service, instance: str = "1", skew: int = 0, *, static: bool = False) -> SimulatedProcess:
        """Another instance of a service; its clock is off by `skew` milliseconds.

        A static one is a static member of its group, and takes the place of its predecessor.
        """
        make = TopicFactory(self._partitions)
        self.cluster.admin().create_missing((make.changelog(state_topic(service.name)),))
        roles = service.roles(self._partitions, self._statements)
        return self._begin(Name(service.name, instance), roles, skew, static=static)

    def start_tracker(
        self,
        instance: str = "1",
        skew: int = 0,
        definitions: Sequence[Saga] | None = None,
        *,
        static: bool = False,
    ) -> SimulatedProcess:
        """Another instance of the tracker, which follows these definitions (none: all); static as in `start`."""
        logic = TrackerProcessor(definitions or self.definitions, self._partitions)
        return self._begin(Name(TRACKER, instance), logic.roles, skew, static=static)

    def kill(self, name: str) -> None:
        """The process `group/instance` is gone without a word, as by kill -9."""
        self.processes.pop(name).die()

    def stop(self, name: str) -> None:
        """The process `group/instance` stops in order."""
        process = self.processes.pop(name)
        self._in_turn(process, process.stop)

    def turn(self, name: str) -> None:
        """One round of a process's loop, if there is such a process; one that must exit is gone after it."""
        process = self.processes.get(name)
        try:
            if process is not None:
                self._in_turn(process, process.turn)
        except (FencedError, UnavailableError):  # either ends a real process
            if self.processes.get(name) is process:  # else it was stopped while it stood still
                self.kill(name)
                self.on_exit(name)

    # ---- time

    def settle(self) -> None:
        """Take turns until nobody has anything left to do at this time. Raises NeverAtRestError if that never comes.

        A process at rest is passed over after the first round, unless chance deals out what polls return.
        """
        quiet, size = 0, self._size()
        for number in range(MANY_TURNS):
            turns = self._round(everybody=number == 0 or self.cluster.portion is not all_in_order)
            before, size = size, self._size()
            quiet = quiet + 1 if size == before else 0
            if quiet == QUIET_TURNS or not turns:
                return
            if not quiet:
                self.clock.advance(ROUND)
        raise NeverAtRestError(f"after {MANY_TURNS:,} rounds of turns something is still written; a loop of events?")

    def advance(self, seconds: float) -> None:
        """Let time pass, from one thing that is due to the next; everything that can happen meanwhile happens."""
        until = self.clock.monotonic() + seconds
        self.settle()
        jump = SHORT_JUMP
        while (now := self.clock.monotonic()) < until:
            jump = self._jump(min(until, self._next_due(now) or until, now + jump) - now, jump)

    def advance_until_rest(self, seconds: float) -> None:
        """Let time pass until nothing is due, at most so many seconds."""
        until = self.clock.monotonic() + seconds
        self.settle()
        patience = PATIENCE
        while (step := self._until_next(until, patience)) is not None:
            before = self._size(but=SAGA_STEPS)  # where the tracker's clock ticks, whatever else happens
            self.advance(step)
            patience = PATIENCE if self._size(but=SAGA_STEPS) > before else patience - 1

    # ---- the log

    def publish(self, topic: str, value: Mapping[str, object], key: str | None = None) -> None:
        """A raw record, as anyone would publish it."""
        self._publisher.publish(topic, key.encode() if key else None, json.dumps(value).encode(), [])

    def saga(self, saga_id: str) -> SagaState:
        """What the tracker's table says of a saga. Raises KeyError if it knows none of that name."""
        key = saga_id.encode()
        found = [record.value for record in self.cluster.records(SAGA_STATE) if record.key == key]
        if not found or found[-1] is None:
            raise KeyError(saga_id)
        return decode(found[-1])

    def events(self, event: type[E], records: Iterable[Record] | None = None) -> list[E]:
        """Every committed event of a type, decoded (raw starts included)."""
        codec = Codec((event,))
        found = self.cluster.records(event.event_type) if records is None else records
        decoded = (codec.decode(event.event_type, record.value) for record in found)
        return [one for one in decoded if isinstance(one, event)]

    def records(self, topic: str) -> list[Record]:
        """Every committed record of a topic."""
        return self.cluster.records(topic)

    def close(self) -> None:
        """Stop everything, in no order."""
        for name in tuple(self.processes):
            self.kill(name)

    # ---- inside

    def _round(self, *, everybody: bool) -> int:
        """A turn of each process, but those at rest unless `everybody` takes one; how many turns there were."""
        turns = 0
        for name in tuple(self.processes):
            process = self.processes.get(name)
            if process is not None and (everybody or not process.is_at_rest):
                self.turn(name)
                turns += 1
        return turns

    def _in_turn(self, process: SimulatedProcess, act: Callable[[], None]) -> None:
        """It is this process's turn to act; others may take theirs in the middle of it."""
        before, self.current = self.current, process
        try:
            act()
        finally:
            self.current = before

    def _begin(self, name: Name, roles: Roles, skew: int, *, static: bool) -> SimulatedProcess:
        incarnation = None if static else next(self._incarnations)
        process = SimulatedProcess(name, roles, self._around, skew, incarnation)
        self.processes[str(name)] = process
        return process

    def _jump(self, seconds: float, longest: float) -> float:
        """Let so much time pass at once; how far the next jump may go: the further, the longer nothing has happened."""
        self.clock.advance(max(seconds, ROUND))
        for process in self.processes.values():
            process.beat()
        self.cluster.expire_transactions()
        before = self._size(but=SAGA_STEPS)
        self.settle()
        return longest * 2 if self._size(but=SAGA_STEPS) == before else SHORT_JUMP

    def _until_next(self, until: float, patience: int) -> float | None:
        """Seconds to whatever is due next; a short while for what is overdue, as long as there is patience."""
        now = self.clock.monotonic()
        due = self._next_due(now)
        if due is not None and due <= until:
            return due - now
        return SHORT_JUMP if patience and now < until and self._dues.are_overdue(self.clock.now()) else None

    def _next_due(self, now: float) -> float | None:
        """When something happens by itself that is known of, in the clock's seconds."""
        dues = [due for process in self.processes.values() if (due := process.executor.due) is not None]
        at = self.clock.now()
        tracked = self._dues.after(at)
        if tracked is not None:
            dues.append(now + (tracked - at) / 1000 + ROUND)  # what is due at a time is taken up after it
        return min(dues, default=None)

    def _size(self, but: str = "") -> int:
        """How many entries have been written, `but` to this topic."""
        return self.cluster.version.written - sum(partition.end for partition in self.cluster.topics.get(but, ()))
