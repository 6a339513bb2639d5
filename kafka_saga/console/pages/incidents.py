"""What waits for a person: open incidents, each with the commands that solve it."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from kafka_saga.api.incidents import IncidentPage
from kafka_saga.console.keys import API
from kafka_saga.console.pages.forms import new_once
from kafka_saga.console.rendering import is_fragment, page

ROUTES = web.RouteTableDef()

FILTERS = ("definition", "step", "key_prefix", "cursor")
NEEDS_MORE = frozenset({"skip", "rewind"})
"""Commands for which a person chooses more than the inbox shows: the saga's page has it."""


@ROUTES.get("/incidents")
async def incidents(request: web.Request) -> web.Response:
    """The inbox, or, for the page that refreshes itself, its part."""
    chosen = {name: request.query.get(name, "").strip() for name in FILTERS}
    params = tuple((name, text) for name, text in chosen.items() if text)
    found = await request.app[API].get(IncidentPage, "/incidents", (*params, ("limit", "50")))
    context = {
        "filter": chosen,
        "found": found,
        "once": new_once(),
        "behind_s": found.behind_s,
        "needs_more": NEEDS_MORE,
        "next_url": str(URL("/incidents").with_query({**dict(params), "cursor": found.next})) if found.next else None,
    }
    return page(request, "parts/incidents.html" if is_fragment(request) else "incidents.html", context)


@ROUTES.get("/incidents/count")
async def count(request: web.Request) -> web.Response:
    """How many there are: for the menu."""
    found = await request.app[API].get(IncidentPage, "/incidents", (("limit", "1"),))
    return page(request, "parts/count.html", {"total": found.total})
