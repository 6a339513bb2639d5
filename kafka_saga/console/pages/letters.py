"""Dead letters: records that no service could read, why, and publishing them again."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web
from pydantic import ValidationError
from yarl import URL

from kafka_saga.api.incidents import DeadLetterPage, Redriven, RedriveRequest
from kafka_saga.console.guard import must_act
from kafka_saga.console.keys import API
from kafka_saga.console.pages.forms import back_to, first_of, form_of, text
from kafka_saga.console.refusals import Refused
from kafka_saga.console.rendering import is_fragment, page

ROUTES = web.RouteTableDef()


@ROUTES.get("/dead-letters")
async def letters(request: web.Request) -> web.Response:
    """The latest first."""
    chosen = {name: request.query.get(name, "").strip() for name in ("saga_id", "cursor")}
    params = tuple((name, value) for name, value in chosen.items() if value)
    found = await request.app[API].get(DeadLetterPage, "/dead-letters", (*params, ("limit", "50")))
    context = {
        "filter": chosen,
        "found": found,
        "behind_s": found.behind_s,
        "next_url": str(URL("/dead-letters").with_query({**dict(params), "cursor": found.next}))
        if found.next
        else None,
    }
    return page(request, "parts/letters.html" if is_fragment(request) else "letters.html", context)


@ROUTES.post(r"/dead-letters/{partition:\d+}/{offset:\d+}/redrive")
async def redrive(request: web.Request) -> web.Response:
    """Publish a dead letter again, as it was."""
    asker = must_act(request)
    form = await form_of(request)
    try:
        wish = RedriveRequest(
            author=text(form, "author") or asker.session.author,
            reason=text(form, "reason") or "",
            again=form.get("again") == "1",
        )
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "That is not complete", first_of(error)) from None
    partition, offset = request.match_info["partition"], request.match_info["offset"]
    await request.app[API].post(Redriven, f"/dead-letters/{partition}/{offset}/redrive", wish)
    raise web.HTTPSeeOther(back_to(form.get("back"), "/dead-letters", asked="publish", sagas="1", refused="0"))
