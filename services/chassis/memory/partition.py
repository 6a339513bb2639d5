"""One partition in memory: entries, transactions that own some of them, markers that take offsets, compaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from services.chassis.records import Outgoing, Record


class State(Enum):
    """How the transaction that wrote an entry stands."""

    OPEN = 1
    COMMITTED = 2
    ABORTED = 3


@dataclass(slots=True)
class Transaction:
    """One transaction: everything it wrote is visible, or nothing is."""

    state: State = State.OPEN


PLAIN = Transaction(State.COMMITTED)
"""What records written outside transactions belong to."""


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
    """An append-only list of entries."""

    topic: str
    number: int
    entries: list[Entry] = field(default_factory=list)
    end: int = 0
    open: list[tuple[int, Transaction]] = field(default_factory=list)

    def append(self, outgoing: Outgoing, now: int, transaction: Transaction = PLAIN) -> Record:
        """Write a record; `now` is its log append time."""
        record = Record(self.topic, self.number, self.end, now, outgoing.key, outgoing.value, list(outgoing.headers))
        if transaction.state is State.OPEN and all(owner is not transaction for _, owner in self.open):
            self.open.append((self.end, transaction))
        self._add(Entry(self.end, transaction, record))
        return record

    def mark(self, transaction: Transaction) -> None:
        """Write the marker that ends `transaction` here."""
        self.open = [(offset, owner) for offset, owner in self.open if owner is not transaction]
        self._add(Entry(self.end, transaction))

    @property
    def last_stable(self) -> int:
        """The offset from which on transactions are undecided (KIP-98: last stable offset)."""
        return min(offset for offset, _ in self.open) if self.open else self.end

    def visible_from(self, offset: int) -> Iterator[Record]:
        """The committed records at and after `offset`, below the last stable offset."""
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

    def _is_last(self, entry: Entry, last: dict[bytes | None, int]) -> bool:
        return entry.record is not None and entry.is_visible and last.get(entry.record.key) == entry.offset

    def _index(self, offset: int) -> int:
        """The place in `entries` of the first one at or after `offset` (there are gaps after compaction)."""
        low, high = 0, len(self.entries)
        if high == self.end:  # nothing was compacted away
            return offset
        while low < high:
            middle = (low + high) // 2
            if self.entries[middle].offset < offset:
                low = middle + 1
            else:
                high = middle
        return low

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.end += 1
