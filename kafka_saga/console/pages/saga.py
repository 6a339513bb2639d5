"""One saga: why it is not finished, what has happened and what remains, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from kafka_saga.api.sagas import EventFacts, EventList, SagaDetails, Why
from kafka_saga.console.api_client import Api, part
from kafka_saga.console.drawing import graph, timeline
from kafka_saga.console.keys import API
from kafka_saga.console.pages.forms import new_once
from kafka_saga.console.rendering import is_fragment, page
from kafka_saga.console.words import parsed

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, how long after the first, how deep below its cause, and what it caused."""

    event: EventFacts
    offset_ms: int
    depth: int
    effects: tuple[EventFacts, ...]
    cause: EventFacts | None


@ROUTES.get("/sagas/{saga_id}")
async def saga(request: web.Request) -> web.Response:
    """The saga's page, or, for the page that refreshes itself, its part."""
    saga_id = request.match_info["saga_id"]
    found = await request.app[API].get(SagaDetails, f"/sagas/{part(saga_id)}")
    context = {"saga": found, "behind_s": found.behind_s, "once": new_once(), **_pictures(found)}
    return page(request, "parts/saga.html" if is_fragment(request) else "saga.html", context)


@ROUTES.get("/sagas/{saga_id}/why")
async def why(request: web.Request) -> web.Response:
    """Who is at work on it, and how far behind they are: asked of Kafka, hence a part of its own."""
    saga_id = request.match_info["saga_id"]
    found = await request.app[API].get(Why, f"/sagas/{part(saga_id)}/why")
    return page(request, "parts/why.html", {"why": found})


@ROUTES.get("/sagas/{saga_id}/events")
async def events(request: web.Request) -> web.Response:
    """Everything that happened to it, decoded: a part of its page, or a page of its own."""
    saga_id = request.match_info["saga_id"]
    found = await _events(request.app[API], saga_id)
    name = "parts/events.html" if is_fragment(request) else "events.html"
    return page(request, name, {"saga_id": saga_id, "happened": happened(found.items), "behind_s": found.behind_s})


def happened(items: Sequence[EventFacts]) -> tuple[Happening, ...]:
    """Events in the order of log time, with what each caused."""
    by_id = {one.id: one for one in reversed(items)}
    start = parsed(items[0].at) if items else None
    return tuple(
        Happening(
            one,
            _after(start, one),
            _depth(one, by_id),
            tuple(other for other in items if other.cause == one.id and other is not one),
            by_id.get(one.cause) if one.cause else None,
        )
        for one in items
    )


def _pictures(found: SagaDetails) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "graph": graph(found.graph) if found.graph else None,
        "timeline": timeline(found.timeline, now=now) if found.timeline else None,
    }


def _after(start: datetime | None, event: EventFacts) -> int:
    at = parsed(event.at)
    return 0 if start is None or at is None else round((at - start).total_seconds() * 1000)


def _depth(event: EventFacts, by_id: dict[str, EventFacts]) -> int:
    """How many causes lead to it; ids that repeat on the way are counted once."""
    seen: set[str] = set()
    cause = event.cause
    while cause is not None and cause in by_id and cause not in seen:
        seen.add(cause)
        cause = by_id[cause].cause
    return len(seen)


async def _events(api: Api, saga_id: str) -> EventList:
    return await api.get(EventList, f"/sagas/{part(saga_id)}/events")
