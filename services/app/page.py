"""A code review: the diff with the findings at their lines, coverage, and filters by severity."""

from __future__ import annotations

from aiohttp import web

from kafka_saga.console.api_client import part
from kafka_saga.console.keys import API
from kafka_saga.console.rendering import page
from schemas.events.code_review import Severity
from schemas.review import Review
from services.app.drawing.diffs import diff

ROUTES = web.RouteTableDef()


@ROUTES.get("/sagas/{saga_id}/review")
async def review(request: web.Request) -> web.Response:
    """The review of one saga, as far as it has come."""
    saga_id = request.match_info["saga_id"]
    found = await request.app[API].get(Review, f"/sagas/{part(saga_id)}/review")
    chosen = [one.value for one in Severity if one.value in request.query.getall("severity", [])]
    drawn = diff(found, chosen) if found.available else None
    return page(
        request, "review.html", {"saga_id": saga_id, "review": found, "drawn": drawn, "behind_s": found.behind_s}
    )
