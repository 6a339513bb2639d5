"""A code review: the diff with the findings at their lines, coverage, and filters by severity."""

from __future__ import annotations

from aiohttp import web

from schemas.api.review import Review
from schemas.events.code_review import Severity
from services.console import drawing
from services.console.api import part
from services.console.keys import API
from services.console.rendering import page

ROUTES = web.RouteTableDef()


@ROUTES.get("/sagas/{saga_id}/review")
async def review(request: web.Request) -> web.Response:
    """The review of one saga, as far as it has come."""
    saga_id = request.match_info["saga_id"]
    found = await request.app[API].get(Review, f"/sagas/{part(saga_id)}/review")
    chosen = [one.value for one in Severity if one.value in request.query.getall("severity", [])]
    drawn = drawing.diff(found, chosen) if found.available else None
    return page(
        request, "review.html", {"saga_id": saga_id, "review": found, "drawn": drawn, "behind_s": found.behind_s}
    )
