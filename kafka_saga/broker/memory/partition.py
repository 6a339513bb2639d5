"""One partition in memory: entries, transactions that own some of them, markers that take offsets, compaction,
and a log start below which records have been deleted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter

from kafka_saga.broker.records import Outgoing, Record

_offset = attrgetter("offset")


class State(Enum):
    """How the transaction that wrote an entry stands."""

    OPEN = 1
    COMMITTED = 2
    ABORTED = 3


@dataclass(slots=True, eq=False)
class Transaction:
    """What one transaction has written to one partition: undecided until the marker of that partition is there."""

    state: State = State.OPEN


PLAIN = Transaction(State.COMMITTED)
"""What records written outside transactions belong to."""


@dataclass(slots=True)
class ChangeCounter:
    """Counts what changes in the partitions and groups that share it: at an equal count, all is as it was before.

    `written` counts the entries that were ever appended.
    """

    number: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, or a transaction marker (no record), at an offset."""

    offset: int
    transaction: Transaction
    record: Record | None = None

    @property
    def is_visible(self) -> bool:
        """Whether read-committed readers get it."""
        return self.record is not None and self.transaction.state is State.COMMITTED


@dataclass(slots=True)
class Partition:
    """A list of entries that grows at its end and is deleted from its beginning. `log_start`: its first offset.

    `last_stable`: the offset from which on transactions are undecided (KIP-98). It stays where a transaction began
    whose first records are deleted, below the log start (measured, Kafka 4.1).
    """

    topic: str
    number: int
    version: ChangeCounter = field(default_factory=ChangeCounter)
    entries: list[Entry] = field(default_factory=list)
    log_start: int = 0
    end: int = 0
    last_stable: int = 0
    open: list[tuple[int, Transaction]] = field(default_factory=list)

    def append(self, outgoing: Outgoing, now: int, transaction: Transaction = PLAIN) -> Record:
        """Write a record; `now` is its log append time, which may lie before that of the record before it."""
        record = Record(self.topic, self.number, self.end, now, outgoing.key, outgoing.value, list(outgoing.headers))
        if transaction.state is State.OPEN and all(owner is not transaction for _, owner in self.open):
            self.open.append((self.end, transaction))
        self._add(Entry(self.end, transaction, record))
        return record

    def mark(self, transaction: Transaction, state: State) -> None:
        """Write the marker that ends `transaction` here: its records become visible with it, or never."""
        transaction.state = state
        self.open = [(offset, owner) for offset, owner in self.open if owner is not transaction]
        self._add(Entry(self.end, transaction))

    def first_since(self, time: int) -> int:
        """The offset of the first record with this log append time (milliseconds UTC) or a later one, else the end."""
        found = (e.offset for e in self.entries if e.record is not None and e.record.timestamp >= time)
        return next(found, self.end)

    def visible_from(self, offset: int) -> Iterator[Record]:
        """The committed records at and after `offset`, below the last stable offset; from the log start, if higher."""
        stable = self.last_stable
        if offset >= stable:
            return
        entries = self.entries
        for index in range(self._index(offset), len(entries)):
            entry = entries[index]
            if entry.offset >= stable:
                return
            if entry.record is not None and entry.transaction.state is State.COMMITTED:
                yield entry.record

    def compact(self) -> None:
        """Keep of each key the last visible record; offsets of the kept ones do not change."""
        stable = self.last_stable
        last = {e.record.key: e.offset for e in self.entries if e.record and e.is_visible and e.offset < stable}
        self.entries = [e for e in self.entries if e.offset >= stable or self._is_last(e, last)]
        self.version.number += 1

    def delete_before(self, offset: int) -> None:
        """Delete what lies below `offset`, undecided records too, and begin the log there; the end does not move.

        Source: Kafka's Admin.deleteRecords.
        """
        self.log_start = max(self.log_start, min(offset, self.end))
        del self.entries[: bisect_left(self.entries, self.log_start, key=_offset)]
        self._changed()

    def _is_last(self, entry: Entry, last: dict[bytes | None, int]) -> bool:
        return entry.record is not None and entry.is_visible and last.get(entry.record.key) == entry.offset

    def _index(self, offset: int) -> int:
        """The place in `entries` of the first one at or after `offset` (there are gaps after compaction)."""
        if len(self.entries) == self.end - self.log_start:  # nothing was compacted away
            return max(0, offset - self.log_start)
        return bisect_left(self.entries, offset, key=_offset)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.end += 1
        self.version.written += 1
        self._changed()

    def _changed(self) -> None:
        self.last_stable = min(offset for offset, _ in self.open) if self.open else self.end
        self.version.number += 1
