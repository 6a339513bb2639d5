"""The tables that one worker holds: the values of its partitions, and what follows from them: lists, counts, figures.

Only the sagas by key are written to a changelog. Open incidents, counts by status and figures are a function of them,
kept up with every change and made anew when they are restored, so they cannot disagree.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from kafka_saga.tracker.core.state import SagaState, decode
from kafka_saga.views.listing import Index, entry_of
from kafka_saga.views.statistics import Fact, Statistics, Tally, facts
from kafka_saga.views.stored_sagas import (
    EMPTY,
    MOST_BYTES,
    Arrival,
    Folded,
    Shelf,
    StepOutcome,
    StoredSagas,
    encode,
    fold,
    is_expired,
    shelf_of,
)

LOG = logging.getLogger("saga.views")

NOTHING: Counter[Fact] = Counter()

MOST_NAMED = 20
"""How many keys of which not all sagas have room are named in the log."""


class TablePartition:
    """One partition: its values by key, and the figures of its sagas."""

    __slots__ = ("figures", "values")

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.figures = Statistics()


class PartitionTables:
    """The partitions that a worker holds. `keep`: how long finished sagas are shown, milliseconds by definition.

    `told` hears of each saga that changes, with its record (none: it has left), once the table has it.
    """

    def __init__(self, keep: Mapping[str, int], told: Callable[[str, bytes | None], None] = lambda _, __: None) -> None:
        self.keep = dict(keep)
        self.outcomes: Counter[StepOutcome] = Counter()
        self.unreadable = ""
        self.index = Index(self.record_of, self.keep)
        self._told = told
        self._parts: dict[int, TablePartition] = {}
        self._crowded: set[bytes] = set()

    def __len__(self) -> int:
        return sum(len(part.values) for part in self._parts.values())

    # ---- reading

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions of which there is something."""
        return frozenset(self._parts)

    def shelf(self, partition: int, key: bytes) -> Shelf:
        """The sagas of a key."""
        part = self._parts.get(partition)
        return shelf_of(part.values.get(key)) if part is not None else EMPTY

    def shown(self, partition: int, key: bytes, now: int) -> tuple[StoredSagas, ...]:
        """The sagas of a key that have not ended too long ago, newest first."""
        return tuple(one for one in self.shelf(partition, key).sagas if not is_expired(one, now, self.keep))

    def record_of(self, saga_id: str) -> bytes | None:
        """A saga's record on `saga.state`."""
        entry = self.index.get(saga_id)
        if entry is None:
            return None
        kept = self.shelf(entry.partition, entry.key.encode()).find(saga_id)
        return kept.record if kept is not None else None

    def values(self, partition: int) -> Mapping[bytes, bytes]:
        """The values of a partition, as they are on the changelog."""
        part = self._parts.get(partition)
        return part.values if part is not None else {}

    def tallies(self, partitions: Iterable[int], now: int) -> list[Tally]:
        """What happened at each step, of these partitions."""
        parts = [self._parts[number] for number in partitions if number in self._parts]
        return [one for part in parts for one in part.figures.tallies(now)]

    # ---- writing

    def keep_for(self, keep: Mapping[str, int]) -> None:
        """From now on finished sagas are shown for so long."""
        self.keep.clear()
        self.keep.update(keep)

    def fold(self, partition: int, key: bytes, arrival: Arrival) -> tuple[Folded, bytes | None]:
        """What a record makes of its key, and the value that is to be written (none: the key leaves)."""
        folded = fold(self.shelf(partition, key), arrival, self.keep)
        self.outcomes[folded.outcome] += 1
        if folded.outcome is StepOutcome.UNREADABLE:
            self._note_unreadable(partition, arrival, folded.why)
        if folded.crowded:
            self._note_crowded(key, folded.crowded)
        return folded, encode(folded.shelf) if folded.shelf.sagas else None

    def put(self, partition: int, key: bytes, value: bytes | None) -> None:
        """A key has this value now (none: it has left)."""
        part = self._parts.setdefault(partition, TablePartition())
        before, after = shelf_of(part.values.get(key)), shelf_of(value)
        if value is None:
            part.values.pop(key, None)
        else:
            part.values[key] = value
        self._follow(part, before, after)

    def restore(self, partition: int, key: bytes, value: bytes | None) -> None:
        """A value from the changelog; one of an older record than is known is passed over.

        A worker that stood still may have written such a one after its partition went to another.
        """
        part = self._parts.get(partition)
        known = part.values.get(key) if part is not None else None
        try:
            if value is not None and known is not None and shelf_of(value).offset < shelf_of(known).offset:
                return
            self.put(partition, key, value)
        except msgspec.DecodeError as error:
            self._unreadable(f"the changelog's value of key {key!r} in partition {partition}", str(error))

    def forget(self, partitions: Iterable[int]) -> None:
        """These partitions are somebody else's now."""
        gone = {number for number in partitions if number in self._parts}
        for number in gone:
            del self._parts[number]
        if gone:
            self.index.forget(gone)

    # ---- inside

    def _follow(self, part: TablePartition, before: Shelf, after: Shelf) -> None:
        """Keep up what follows from the values, saga by saga."""
        were = {one.saga_id: one for one in before.sagas}
        for one in after.sagas:
            was = were.pop(one.saga_id, None)
            if was is None or was.revision != one.revision or was.packed != one.packed:
                self._changed(part, was, one.record)
        for was in were.values():
            part.figures.replace(facts(_state(was)), NOTHING)
            self.index.drop(was.saga_id)
            self._told(was.saga_id, None)

    def _changed(self, part: TablePartition, was: StoredSagas | None, record: bytes) -> None:
        state = decode(record)
        part.figures.replace(facts(_state(was)) if was is not None else NOTHING, facts(state))
        self.index.put(entry_of(record))
        self._told(state.saga_id, record)

    def _note_unreadable(self, partition: int, arrival: Arrival, why: str) -> None:
        self._unreadable(f"saga.state[{partition}]@{arrival.offset} of {arrival.saga_id}", why)

    def _note_crowded(self, key: bytes, crowded: Sequence[str]) -> None:
        """Logged once for each of a few keys."""
        if key not in self._crowded and len(self._crowded) < MOST_NAMED:
            self._crowded.add(key)
            LOG.warning(
                "so many sagas of the key %s run at once that the table has no room for all of them (%d bytes): the "
                "oldest are left out, as %s; `saga --no-api show` reads them from the log",
                key.decode("utf-8", "replace"),
                MOST_BYTES,
                crowded[0],
            )

    def _unreadable(self, where: str, why: str) -> None:
        """Logged once; health says how many there are."""
        if not self.unreadable:
            LOG.error("%s cannot be read by this version (%s): it is left out, and others like it", where, why)
        self.unreadable = self.unreadable or f"{where}: {why}"


def _state(one: StoredSagas) -> SagaState:
    return decode(one.record)
