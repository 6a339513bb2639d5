"""Lists of sagas: what is kept of each to filter and order it by, one worker's part, and the parts of all in one.

Pure but for the index, which holds a small entry per saga; states stay encoded, and are decoded only on a page.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from sys import intern

import msgspec

from kafka_saga.tracker.core.state import Incident, SagaState, SagaStatus, StepStatus, decode
from kafka_saga.views.port import (
    After,
    IncidentPage,
    IncidentPart,
    IncidentQuery,
    OpenIncident,
    SagaPage,
    SagaQuery,
    SagaRow,
    Sort,
    TablePart,
)
from kafka_saga.views.titles import Titles
from kafka_saga.wire.ids import key_of

_FINAL = frozenset(status for status in SagaStatus if status.is_final)


class _StepGlance(msgspec.Struct, frozen=True, gc=False):
    name: str
    status: StepStatus = StepStatus.WAITING
    error: str | None = None


class _Glance(msgspec.Struct, frozen=True, gc=False):
    """What is read of a record on `saga.state`; the rest is passed over."""

    saga_id: str
    definition: str
    partition: int
    status: SagaStatus = SagaStatus.UNKNOWN
    revision: int = 0
    started_at: int | None = None
    updated_at: int = 0
    ended_at: int | None = None
    error: str | None = None
    steps: tuple[_StepGlance, ...] = ()
    incidents: tuple[Incident, ...] = ()


_glance = msgspec.json.Decoder(_Glance)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a saga: some 300 bytes. `at` are the steps it stands at, `text` what is searched in besides."""

    saga_id: str
    definition: str
    partition: int
    status: SagaStatus
    revision: int
    started: int
    updated: int
    ended: int | None
    at: tuple[str, ...]
    text: str
    incidents: tuple[Incident, ...]

    @property
    def key(self) -> str:
        """The business key."""
        return key_of(self.saga_id)


_shared: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Tuples of step names, each once: there are few, and every entry has one."""


def entry_of(value: bytes | bytearray | memoryview) -> Entry:
    """The entry of a record on `saga.state`. Raises msgspec.DecodeError if it is none."""
    seen = _glance.decode(value)
    at = tuple(intern(step.name) for step in seen.steps if step.status.is_current)
    said = (seen.error, *(step.error for step in seen.steps), *(one.reason for one in seen.incidents))
    return Entry(
        seen.saga_id,
        intern(seen.definition),
        seen.partition,
        seen.status,
        seen.revision,
        seen.started_at or seen.updated_at,
        seen.updated_at,
        (seen.ended_at or seen.updated_at) if seen.status in _FINAL else None,
        _shared.setdefault(at, at),
        "\n".join(text for text in said if text).lower(),
        seen.incidents,
    )


class Index:
    """The entries of one worker's sagas. `keep` is how long finished sagas are shown, in milliseconds, by definition;
    it may change.

    `state_of` gives a saga's record on `saga.state`, for the rows of a page.
    """

    def __init__(self, state_of: Callable[[str], bytes | None], keep: Mapping[str, int] | None = None) -> None:
        self._state_of = state_of
        self._keep = {} if keep is None else keep
        self._entries: dict[str, Entry] = {}
        self._troubled: dict[str, Entry] = {}
        self.titles = Titles(self._entries.__contains__)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, saga_id: str) -> Entry | None:
        """One saga's entry."""
        return self._entries.get(saga_id)

    def put(self, entry: Entry) -> None:
        """A saga is new, or has changed."""
        if entry.saga_id not in self._entries:
            self._entries[entry.saga_id] = entry
            self.titles.appeared(entry.saga_id)
        self._entries[entry.saga_id] = entry
        if entry.incidents:
            self._troubled[entry.saga_id] = entry
        else:
            self._troubled.pop(entry.saga_id, None)

    def drop(self, saga_id: str) -> None:
        """A saga is no more."""
        self._entries.pop(saga_id, None)
        self.titles.drop(saga_id)
        self._troubled.pop(saga_id, None)

    def forget(self, partitions: Collection[int]) -> None:
        """These partitions are somebody else's now."""
        for saga_id in [one.saga_id for one in self._entries.values() if one.partition in partitions]:
            self.drop(saga_id)

    def counts(self, now: int) -> dict[str, dict[str, int]]:
        """How many sagas there are, by definition and status."""
        found = Counter((one.definition, one.status.value) for one in self._shown(self._entries.values(), now))
        counted: dict[str, dict[str, int]] = {}
        for (definition, status), count in found.items():
            counted.setdefault(definition, {})[status] = count
        return counted

    def part(self, query: SagaQuery, now: int, behind_s: float = 0.0) -> TablePart:
        """The first of its sagas that are asked for; `now` is milliseconds UTC."""
        source = self._troubled if query.has_incident else self._entries
        found = _fitting(self._shown(source.values(), now), query, now, self.titles)
        counts = Counter(one.status.value for one in found)
        if query.statuses:
            wanted = frozenset(query.statuses)
            found = [one for one in found if one.status in wanted]
        page, has_more = _first(found, query)
        rows = ((value, saga_id, self._state_of(saga_id)) for value, saga_id in page)
        kept = tuple(
            SagaRow(value, saga_id, msgspec.Raw(state), self.titles.get(saga_id))
            for value, saga_id, state in rows
            if state is not None
        )
        return TablePart(kept, len(found), dict(counts), has_more, behind_s)

    def incidents(self, query: IncidentQuery, now: int, behind_s: float = 0.0) -> IncidentPart:
        """The first of its open incidents that are asked for."""
        of_sagas = (one for one in self._shown(self._troubled.values(), now) if _is_meant(one, query))
        found = [
            OpenIncident(one.saga_id, one.definition, one.status.value, incident)
            for one in of_sagas
            for incident in one.incidents
            if query.step in {None, incident.step}
        ]
        page, has_more = _oldest(found, query.after, query.limit)
        return IncidentPart(page, len(found), has_more, behind_s)

    def _shown(self, entries: Iterable[Entry], now: int) -> list[Entry]:
        keep, forever = self._keep, _FOREVER
        if not keep:
            return list(entries)
        return [one for one in entries if one.ended is None or one.ended + keep.get(one.definition, forever) > now]


def page_of(parts: Sequence[TablePart], query: SagaQuery) -> SagaPage:
    """The parts of all workers as one page. A saga that two have (its partition moves) is shown as its later state."""
    newest: dict[str, tuple[int | str, SagaState]] = {}
    for row in (row for part in parts for row in part.rows):
        state, known = decode(bytes(row.state)), newest.get(row.saga_id)
        if known is None or known[1].revision < state.revision:
            newest[row.saga_id] = (row.value, state)
    places = [(value, saga_id) for saga_id, (value, _) in newest.items()]
    page, is_cut = _cut(places, query)
    has_more = is_cut or any(part.has_more for part in parts)
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return SagaPage(
        tuple(newest[saga_id][1] for _, saga_id in page),
        After(*page[-1]) if has_more and page else None,
        sum(part.total for part in parts),
        dict(counts),
        max((part.behind_s for part in parts), default=0.0),
        {row.saga_id: row.title for part in parts for row in part.rows if row.title},
    )


def incident_page_of(parts: Sequence[IncidentPart], query: IncidentQuery) -> IncidentPage:
    """The open incidents of all workers as one page."""
    found = {one.place.id: one for part in parts for one in part.incidents}
    page, is_cut = _oldest(list(found.values()), None, query.limit)
    has_more = is_cut or any(part.has_more for part in parts)
    return IncidentPage(
        page,
        page[-1].place if has_more and page else None,
        sum(part.total for part in parts),
        max((part.behind_s for part in parts), default=0.0),
    )


_FOREVER = 2**62


def _fitting(found: list[Entry], query: SagaQuery, now: int, titles: Titles) -> list[Entry]:
    """What every filter but the status's leaves; each is one pass over what those before it left."""
    if query.definition is not None:
        found = [one for one in found if one.definition == query.definition]
    if query.key_prefix:
        prefix = query.key_prefix
        found = [one for one in found if one.saga_id.startswith(prefix) and one.key.startswith(prefix)]
    if query.step is not None:
        step = query.step
        found = [one for one in found if step in one.at]
    if query.older_than_ms is not None:
        latest = now - query.older_than_ms
        found = [one for one in found if one.started <= latest]
    if query.has_incident is False:
        found = [one for one in found if not one.incidents]
    if query.text:
        text = query.text.lower()
        title = titles.get
        found = [
            one
            for one in found
            if text in one.saga_id.lower()
            or text in one.text
            or text in title(one.saga_id).lower()
            or _is_named(one, text)
        ]
    return found


def _is_named(entry: Entry, text: str) -> bool:
    return text in entry.definition.lower() or any(text in step.lower() for step in entry.at)


_Place = tuple[int | str, str]
_VALUE: Mapping[Sort, Callable[[Entry], _Place]] = {
    Sort.STARTED: lambda one: (one.started, one.saga_id),
    Sort.AGE: lambda one: (one.started, one.saga_id),
    Sort.UPDATED: lambda one: (one.updated, one.saga_id),
    Sort.KEY: lambda one: (one.key, one.saga_id),
}


def _first(found: Iterable[Entry], query: SagaQuery) -> tuple[list[_Place], bool]:
    """The places of the page, and whether there are more after it."""
    places: Iterable[_Place] = map(_VALUE[query.sort], found)
    if query.after is not None:
        after = (query.after.value, query.after.id)
        places = [one for one in places if (one > after) is query.is_rising and one != after]
    return _cut(places, query)


def _cut(places: Iterable[_Place], query: SagaQuery) -> tuple[list[_Place], bool]:
    choose = heapq.nsmallest if query.is_rising else heapq.nlargest
    page = choose(query.limit + 1, places)
    return page[: query.limit], len(page) > query.limit


def _is_meant(entry: Entry, query: IncidentQuery) -> bool:
    return query.definition in {None, entry.definition} and entry.key.startswith(query.key_prefix)


def _oldest(found: Iterable[OpenIncident], after: After | None, limit: int) -> tuple[tuple[OpenIncident, ...], bool]:
    def order(one: OpenIncident) -> tuple[int, str]:
        return one.incident.at, one.place.id

    if after is not None:
        found = [one for one in found if order(one) > (after.value, after.id)]
    page = heapq.nsmallest(limit + 1, found, key=order)
    return tuple(page[:limit]), len(page) > limit
