"""Records that have been read but not taken in, and which partitions are paused meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.engine.dlq_breaker import DeadLetterBreaker
from kafka_saga.engine.work import ControlUpdate, Effect, Pause, Resume

_place = attrgetter("topic", "partition")


class RecordBuffer:
    """Held records by partition. One stands still if control or the breaker says so: nothing of it is taken in."""

    def __init__(self) -> None:
        self._held: dict[TopicPartition, deque[Record]] = {}
        self._paused: set[TopicPartition] = set()
        self._still: dict[int, frozenset[str]] = {}
        self.quarantine = DeadLetterBreaker()

    def add(self, records: Iterable[Record]) -> None:
        """Records have been read, many of one partition in a row."""
        for place, found in groupby(records, _place):
            self._held.setdefault(TopicPartition(*place), deque()).extend(found)

    def drop(self) -> None:
        """Forget the records; they come again, to somebody."""
        self._held.clear()

    def forget(self) -> None:
        """The partitions have gone."""
        self._held.clear()
        self._paused.clear()
        self._still.clear()
        self.quarantine = DeadLetterBreaker()

    def on_control(self, number: int, update: ControlUpdate) -> None:
        """What control says of a task's topics."""
        self._still[number] = update.still
        if update.goes_on:
            self.quarantine.release(number)

    def stands_still(self, at: TopicPartition) -> bool:
        """Whether nothing of a partition is to be taken in."""
        return self.quarantine.holds(at) or at.topic in self._still.get(at.partition, ())

    def waiting(self) -> Iterator[tuple[TopicPartition, deque[Record]]]:
        """The partitions with records that may be taken in."""
        for at, held in self._held.items():
            if held and not self.stands_still(at):
                yield at, held

    def first(self, at: TopicPartition) -> Record | None:
        """The first record held of a partition."""
        held = self._held.get(at)
        return held[0] if held else None

    def regulate(self, is_full: Callable[[TopicPartition], bool]) -> list[Effect]:
        """Pause what is full or stands still, resume it when that is over and nothing of it is held any more."""
        effects: list[Effect] = []
        for at, held in self._held.items():
            is_blocked = self.stands_still(at) or (bool(held) and is_full(at))
            if is_blocked and at not in self._paused:
                self._paused.add(at)
                effects.append(Pause(at))
            elif not (is_blocked or held) and at in self._paused:
                self._paused.discard(at)
                effects.append(Resume(at))
        return effects

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))
