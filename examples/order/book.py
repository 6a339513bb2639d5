"""The outside world of the order example: what bank, warehouse and carrier have done, and undone, in one SQLite file.

It is `SAGA_ORDER_BOOK`, else `order.sqlite` in the saga home. An entry's reference is made from an idempotency key:
asked for twice it is done once, and the book shows how often it was asked for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka_saga import RetryableError, TerminalError
from kafka_saga.worker.paths import saga_home

# Without WAL every entry would wait for the disk twice; what a power cut takes from an example is no loss.
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS entries (
    reference TEXT PRIMARY KEY,
    what TEXT NOT NULL,
    asked INTEGER NOT NULL DEFAULT 1,
    undo_asked INTEGER NOT NULL DEFAULT 0,
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done outside; how often that, and undoing it, was asked for; and whether it is undone."""

    reference: str
    what: str
    asked: int
    undo_asked: int
    is_undone: bool


class Book:
    """The book in the file `path`; any number of processes may write to it at once."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or book_path()

    def do(self, reference: str, what: str) -> None:
        """Enter `what` under `reference`, once. Raises TerminalError if it was undone: whoever asks came too late."""
        with self._open() as book:
            row = book.execute(
                "INSERT INTO entries (reference, what) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET asked = asked + 1 RETURNING undone",
                (reference, what),
            ).fetchone()
        if row[0]:
            raise TerminalError(f"{reference} was undone before it was asked for once more: it stays undone")

    def ask_to_undo(self, reference: str) -> Entry | None:
        """Count one more wish to undo `reference`; the entry as it is now, none if the book has no such thing."""
        with self._open() as book:
            book.execute("UPDATE entries SET undo_asked = undo_asked + 1 WHERE reference = ?", (reference,))
            row = book.execute(f"{_SELECT} WHERE reference = ?", (reference,)).fetchone()
        return None if row is None else _entry(row)

    def undo(self, reference: str) -> None:
        """Have it undone; doing so again changes nothing."""
        with self._open() as book:
            book.execute("UPDATE entries SET undone = 1 WHERE reference = ?", (reference,))

    def entries(self) -> tuple[Entry, ...]:
        """All of the book, in the order of entering."""
        with self._open() as book:
            return tuple(_entry(row) for row in book.execute(f"{_SELECT} ORDER BY rowid"))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path)) as book:
                book.executescript(_SCHEMA)
                with book:
                    yield book
        except (OSError, sqlite3.OperationalError) as error:
            what = f"the book {self.path} cannot be written: {error}; make it writable or set SAGA_ORDER_BOOK"
            raise RetryableError(what) from error


def book_path() -> Path:
    """Where the book lies, as the environment says."""
    chosen = os.environ.get("SAGA_ORDER_BOOK")
    return Path(chosen).expanduser().absolute() if chosen else saga_home() / "order.sqlite"


_SELECT = "SELECT reference, what, asked, undo_asked, undone FROM entries"


def _entry(row: tuple[str, str, int, int, int]) -> Entry:
    reference, what, asked, undo_asked, undone = row
    return Entry(reference, what, asked, undo_asked, bool(undone))
