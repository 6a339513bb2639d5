"""The narrow port to the tables: what the HTTP API needs of them, as values. Whoever answers gathers from all workers.

Questions and parts of answers are msgspec structs, so that workers can send them to one another as JSON; a cursor is
a place in an order (a value and an id), so that one cursor is good for every worker's part.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

import msgspec

from kafka_saga.api.health import Health
from kafka_saga.api.topology import FiguresReport
from kafka_saga.errors import UnavailableError
from kafka_saga.tracker.core.state import Incident, SagaState


class RestoringError(UnavailableError):
    """The tables are being restored; `retry_after_s` is when to ask again (seconds)."""

    def __init__(self, what: str = "the tables are being restored", retry_after_s: float = 2.0) -> None:
        super().__init__(f"{what}: ask again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class OwnerGoneError(UnavailableError):
    """The worker that holds a partition is gone or cannot be reached; `retry_after_s`: when to ask again (seconds)."""

    def __init__(self, partition: int, retry_after_s: float = 2.0, why: str = "") -> None:
        because = f" ({why})" if why else ""
        super().__init__(
            f"no worker holds partition {partition} of the tables now{because}: ask again in {retry_after_s:g} s"
        )
        self.partition = partition
        self.retry_after_s = retry_after_s


class Sort(StrEnum):
    """What a list of sagas is ordered by; `age` is the time since the start: descending, the oldest come first."""

    STARTED = "started"
    UPDATED = "updated"
    AGE = "age"
    KEY = "key"


class After(msgspec.Struct, frozen=True):
    """A place in an order: what comes after it is the next page."""

    value: int | str
    id: str


class SagaQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which sagas, in which order, how many, and after which place. `older_than_ms`: started at least so long ago.

    `step`: sagas at work at it, or that failed there. `text` is looked for in ids, titles, definitions, steps
    and errors, whatever its case.
    """

    statuses: tuple[str, ...] = ()
    definition: str | None = None
    step: str | None = None
    key_prefix: str = ""
    older_than_ms: int | None = None
    has_incident: bool | None = None
    text: str = ""
    sort: Sort = Sort.STARTED
    descending: bool = True
    limit: int = 50
    after: After | None = None

    @property
    def is_rising(self) -> bool:
        """Whether the values that are ordered by rise: those of `age` are times of start, so its order is turned."""
        return self.descending is (self.sort is Sort.AGE)


class SagaRow(msgspec.Struct, frozen=True):
    """A saga in a part of a list: what it is ordered by, its record on `saga.state`, as it is, and its title."""

    value: int | str
    saga_id: str
    state: msgspec.Raw
    title: str = ""


class TablePart(msgspec.Struct, frozen=True):
    """One worker's part of a list: its first `limit` sagas after the place, and how many it has in all."""

    rows: tuple[SagaRow, ...]
    total: int
    counts: dict[str, int]
    has_more: bool
    behind_s: float = 0.0


class SagaPage(msgspec.Struct, frozen=True):
    """A page of sagas, gathered from all workers; `next` is none on the last page. `titles`: by saga, where known."""

    sagas: tuple[SagaState, ...]
    next: After | None
    total: int
    counts: dict[str, int]
    behind_s: float
    titles: dict[str, str] = {}


class KeySagas(msgspec.Struct, frozen=True):
    """The sagas of a key, the newest first, as their owner knows them; none, if there are none."""

    sagas: tuple[SagaState, ...]
    behind_s: float


class IncidentQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which open incidents; the oldest come first."""

    definition: str | None = None
    step: str | None = None
    key_prefix: str = ""
    limit: int = 50
    after: After | None = None


class OpenIncident(msgspec.Struct, frozen=True):
    """An open incident and whose it is."""

    saga_id: str
    definition: str
    status: str
    incident: Incident

    @property
    def place(self) -> After:
        """Where it is in the order of incidents."""
        return After(self.incident.at, f"{self.saga_id} {self.incident.id}")


class IncidentPart(msgspec.Struct, frozen=True):
    """One worker's part of the open incidents."""

    incidents: tuple[OpenIncident, ...]
    total: int
    has_more: bool
    behind_s: float = 0.0


class IncidentPage(msgspec.Struct, frozen=True):
    """A page of open incidents, gathered from all workers; `next` is none on the last page."""

    incidents: tuple[OpenIncident, ...]
    next: After | None
    total: int
    behind_s: float


class Changed(msgspec.Struct, frozen=True, tag=True):
    """A saga has changed: the whole new state. A tombstone is told by `Gone`."""

    state: SagaState


class Gone(msgspec.Struct, frozen=True, tag=True):
    """A saga has left the tables."""

    saga_id: str


class Lagging(msgspec.Struct, frozen=True, tag=True):
    """How far the tables are behind the log (seconds); told now and then, also when nothing changes."""

    behind_s: float


class Missed(msgspec.Struct, frozen=True, tag=True):
    """Changes were missed (a worker came or went, or too many came at once): what is shown has to be asked anew."""

    why: str


Change = Changed | Gone | Lagging | Missed


class Tables(Protocol):
    """The tables of all workers. A call raises RestoringError or OwnerGoneError when it cannot be answered whole."""

    async def sagas(self, query: SagaQuery) -> SagaPage:
        """A page of sagas."""

    async def of_key(self, key: str) -> KeySagas:
        """The sagas of one business key."""

    async def incidents(self, query: IncidentQuery) -> IncidentPage:
        """A page of open incidents."""

    async def figures(self) -> FiguresReport:
        """Counters by status, and the windowed figures of each step."""

    async def health(self) -> Health:
        """How all workers are. Never raises: it says what is wrong."""

    def changes(self, saga_id: str | None = None) -> AsyncIterator[Change]:
        """What changes from now on, of one saga or of all, of all workers; ends when the iterator is closed.

        It need not be coalesced: the API does that, and reads fast.
        """
