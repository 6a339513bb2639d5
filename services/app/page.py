"""A code review: the diff with the findings at their lines, coverage, and filters by severity."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from kafka_saga.console.api_client import part
from kafka_saga.console.keys import API
from kafka_saga.console.rendering import page, versioned
from schemas.events.code_review import Severity, Verdict
from schemas.review import Review
from services.app.drawing.diffs import diff

STATIC = Path(__file__).with_name("static")
STYLE = STATIC / "review.css"

LOOKS: dict[str, tuple[str, str]] = {
    Verdict.CLEAN: ("good", "check"),
    Verdict.FINDINGS: ("warn", "alert"),
    Verdict.INCOMPLETE: ("warn", "dot"),
}
"""The tone and the icon of a verdict."""

ROUTES = web.RouteTableDef()
ROUTES.static("/static/review", STATIC)


@ROUTES.get("/sagas/{saga_id}/review")
async def review(request: web.Request) -> web.Response:
    """The review of one saga, as far as it has come."""
    saga_id = request.match_info["saga_id"]
    found = await request.app[API].get(Review, f"/sagas/{part(saga_id)}/review")
    chosen = [one.value for one in Severity if one.value in request.query.getall("severity", [])]
    drawn = diff(found, chosen) if found.available else None
    shown = {
        "saga_id": saga_id,
        "review": found,
        "drawn": drawn,
        "behind_s": found.behind_s,
        "style": versioned(f"/static/review/{STYLE.name}", STYLE),
        "verdict_look": LOOKS.get(found.verdict or "", ("calm", "dot")),
    }
    return page(request, "review.html", shown)
