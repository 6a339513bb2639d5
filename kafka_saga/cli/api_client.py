"""The HTTP API, where it answers: sagas from the tracker's tables instead of reading the whole log.

What the API cannot say at once, or does not know, is none here; the caller then reads Kafka, which knows everything.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from kafka_saga.api.health import Health, HealthStatus
from kafka_saga.api.incidents import IncidentPage
from kafka_saga.api.model import Answer
from kafka_saga.api.sagas import IncidentFacts, SagaPage, Why, WhyFacts
from kafka_saga.inspection.commands.selection import Selection
from kafka_saga.inspection.log.reading import NotFoundError, began, decoded, resolve
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.ids import key_of

DEFAULT_URL = "http://127.0.0.1:8420"
QUICK = 2.0
"""Seconds that the API gets for what it has in memory."""

THOROUGH = 10.0
"""Seconds for what it has to ask Kafka for."""

CATCH_UP = 1.0
"""Seconds that the tables get to know everything that was on the log when the command was typed."""

_TURN = 0.05

_PAGE = 500
_LATEST = {"include": "state", "sort": "started", "order": "desc"}
_A = TypeVar("_A", bound=Answer)
_P = TypeVar("_P", SagaPage, IncidentPage)


@dataclass(frozen=True, slots=True)
class Api:
    """The API at a URL. With `kafka` it is asked first whether it tells of these brokers, and used only if it does.

    An answer counts if it knows everything from before `since` (of the monotonic clock): whoever gives a command and
    then looks sees what came of it.
    """

    url: str
    kafka: str | None = None
    since: float = field(default_factory=time.monotonic, compare=False)

    def answers(self) -> bool:
        """Whether there is an API, and it tells of the Kafka that is meant."""
        found = _ask(self.url, "/health", {}, Health, QUICK)
        return found is not None and found.status is HealthStatus.READY and self.kafka in {None, found.kafka}

    def latest(self, wanted: Selection, limit: int) -> tuple[list[SagaState], int] | None:
        """The last `limit` of the sagas that are meant, by their start, and how many they are; none if not known."""
        filters = {
            "status": sorted(status.value for status in wanted.statuses),
            "definition": wanted.definition,
            "key_prefix": wanted.key_prefix,
        }
        pages = self._pages("/sagas", {**filters, **_LATEST}, SagaPage, limit)
        if pages is None:
            return None
        states = [state for page in pages for state in _states(page)]
        return sorted(states[:limit], key=began), pages[-1].total

    def incidents(self, wanted: Selection, limit: int) -> tuple[list[IncidentFacts], int] | None:
        """The first `limit` of the open incidents that are meant, and how many they are; none if not known."""
        filters = {"definition": wanted.definition_name, "step": wanted.step_name, "key_prefix": wanted.key_prefix}
        pages = self._pages("/incidents", filters, IncidentPage, limit)
        if pages is None:
            return None
        found = [IncidentFacts.model_validate(item.model_dump()) for page in pages for item in page.items]
        return found[:limit], pages[-1].total

    def find(self, name: str) -> SagaState | None:
        """The saga that a name means, as `inspection.log.reading.find` says; none if that is not certain."""
        query = {"key_prefix": key_of(name) or name, "limit": _PAGE, **_LATEST}
        page = self._up_to_date("/sagas", query, SagaPage, QUICK)
        if page is None or page.next is not None:
            return None
        try:
            return resolve(sorted(_states(page), key=began), name)
        except NotFoundError:  # it may be new, or long over: the log knows
            return None

    def why(self, saga_id: str) -> WhyFacts | None:
        """Why a saga is not finished."""
        found = self._up_to_date(f"/sagas/{quote(saga_id, safe='')}/why", {}, Why, THOROUGH)
        if found is None:
            return None
        return WhyFacts.model_validate(found.model_dump())

    def _pages(self, path: str, query: Mapping[str, object], kind: type[_P], limit: int) -> list[_P] | None:
        """As many pages as hold the first `limit`."""
        pages: list[_P] = []
        got = 0
        while True:
            cursor = pages[-1].next if pages else None
            page = self._up_to_date(path, {**query, "limit": min(_PAGE, limit - got), "cursor": cursor}, kind, QUICK)
            if page is None:
                return None
            pages.append(page)
            got += len(page.items)
            if page.next is None or got >= limit:
                return pages

    def _up_to_date(self, path: str, query: Mapping[str, object], kind: type[_A], patience: float) -> _A | None:
        """An answer that knows everything from before the command; none if there is none soon."""
        until = time.monotonic() + CATCH_UP
        while True:
            asked_at = time.monotonic()
            found = _ask(self.url, path, query, kind, patience)
            if found is None or found.behind_s <= asked_at - self.since:
                return found
            if time.monotonic() > until:
                return None
            time.sleep(_TURN)


def _ask(url: str, path: str, query: Mapping[str, object], kind: type[_A], patience: float) -> _A | None:
    """The answer; none if there is none, or it is no answer of ours."""
    parts = urlsplit(url)
    given = {name: value for name, value in query.items() if value}
    connection = _connection(parts.scheme, parts.netloc, patience)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/api/v1{path}?{urlencode(given, doseq=True)}".rstrip("?"))
        answered = connection.getresponse()
        body = answered.read()
        return kind.model_validate_json(body) if answered.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _connection(scheme: str, place: str, patience: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(place, timeout=patience)


def _states(page: SagaPage) -> Iterable[SagaState]:
    return [decoded(item.saga_id, json.dumps(item.state).encode()) for item in page.items]
