"""All sagas: a live list by filters that are its address."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from kafka_saga.api.sagas import SagaPage
from kafka_saga.api.topology import FiguresReport
from kafka_saga.console.api_client import Api, Unanswered
from kafka_saga.console.filters import AGES, SORTS, STATUSES, Filter
from kafka_saga.console.keys import API
from kafka_saga.console.rendering import is_fragment, page

ROUTES = web.RouteTableDef()

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Chip:
    """A status to filter by, how many there are, and where a click leads."""

    status: str
    count: int
    is_on: bool
    url: str


@ROUTES.get("/")
async def start(_: web.Request) -> web.Response:
    """The list is the start."""
    raise web.HTTPFound("/sagas")


@ROUTES.get("/sagas")
async def sagas(request: web.Request) -> web.Response:
    """The list, or, for the page that refreshes itself, its part."""
    chosen = Filter.of(request.query)
    question = request.app[API].get(SagaPage, "/sagas", (*chosen.params, ("limit", str(PER_PAGE))))
    if is_fragment(request):
        return page(request, "parts/sagas.html", _context(chosen, await question))
    found, known = await asyncio.gather(question, _known(request.app[API]))
    return page(request, "sagas.html", _context(chosen, found) | known | {"ages": AGES, "sorts": SORTS})


def chips(chosen: Filter, counts: dict[str, int]) -> tuple[Chip, ...]:
    """A chip for each status that there is, or that is chosen."""
    return tuple(
        Chip(one, counts.get(one, 0), one in chosen.status, chosen.toggled(one).url)
        for one in STATUSES
        if counts.get(one) or one in chosen.status
    )


def _context(chosen: Filter, found: SagaPage) -> dict[str, object]:
    return {
        "filter": chosen,
        "found": found,
        "behind_s": found.behind_s,
        "chips": chips(chosen, found.counts),
        "everything": sum(found.counts.values()),
        "selection": chosen.selection(),
        "next_url": chosen.after(found.next).url if found.next else None,
        "first_url": chosen.after("").url,
    }


async def _known(api: Api) -> dict[str, object]:
    """What can be typed into the filters; nothing if the API does not say."""
    try:
        report = await api.get(FiguresReport, "/figures")
    except Unanswered:
        return {"definitions": (), "steps": ()}
    steps = dict.fromkeys(one.step for one in report.steps)
    return {"definitions": tuple(sorted(report.definitions)), "steps": tuple(steps)}
