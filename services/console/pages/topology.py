"""What follows what, with throughput, failures and consumer lag where they arise."""

from __future__ import annotations

from aiohttp import web

from schemas.api.topology import Topology
from services.console import drawing
from services.console.keys import API
from services.console.rendering import is_fragment, page

ROUTES = web.RouteTableDef()


@ROUTES.get("/topology")
async def topology(request: web.Request) -> web.Response:
    """Every definition as a graph and as a table."""
    found = await request.app[API].get(Topology, "/topology")
    drawn = [(one, drawing.topology(one)) for one in found.definitions]
    context = {"definitions": drawn, "behind_s": found.behind_s}
    return page(request, "parts/topology.html" if is_fragment(request) else "topology.html", context)
