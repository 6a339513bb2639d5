"""Pages that say what is wrong and what to do, in place of what was asked for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from kafka_saga.console.api_client import Unanswered
from kafka_saga.console.rendering import is_fragment, page

LOG = logging.getLogger("saga.console")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):  # noqa: N818  # it is what it says
    """The console does not do that; `what` happened, and what `advice` there is."""

    def __init__(self, status: HTTPStatus, what: str, advice: str) -> None:
        super().__init__(what)
        self.refusal = Refusal(status.value, what, advice)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the page says. `retry_after` (seconds): it asks again by itself."""

    status: int
    what: str
    advice: str
    retry_after: int | None = None


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every way not to answer into a page."""
    try:
        return await handler(request)
    except Refused as refused:
        return refusal_page(request, refused.refusal)
    except Unanswered as error:
        problem = error.problem
        return refusal_page(request, Refusal(problem.status, problem.title, problem.detail, problem.retry_after))
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return refusal_page(request, _of_http(error))
    except ConnectionResetError:
        raise
    except Exception:
        LOG.exception("no page for %s %s", request.method, request.path)
        return refusal_page(request, Refusal(500, "The console made a mistake", "Its log says more. Try again."))


def refusal_page(request: web.Request, refusal: Refusal) -> web.Response:
    """The page, or, of a part of a page that refreshes itself, nothing but the sentence."""
    name = "parts/refusal.html" if is_fragment(request) else "refusal.html"
    response = page(request, name, {"refusal": refusal}, status=refusal.status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _of_http(error: web.HTTPException) -> Refusal:
    match error.status:
        case HTTPStatus.NOT_FOUND:
            return Refusal(404, "There is no such page", "Look at all sagas, or check the address.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return Refusal(405, "That page takes no such request", "Look at all sagas.")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Refusal(413, "That is too much at once", "Choose fewer sagas, or give a filter instead.")
        case _:
            return Refusal(error.status, error.reason, "Go back, and try again.")
