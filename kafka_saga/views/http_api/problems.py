"""Errors as RFC 9457 problems: what a client did wrong, what is not there now, and, without its trace, what we did."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from uuid import uuid4

from aiohttp import web
from pydantic import ValidationError

from kafka_saga.api.problems import PROBLEM_JSON, FieldProblem, Problem, ProblemType
from kafka_saga.errors import ChoreographyError, UnavailableError
from kafka_saga.inspection.commands.selection import SelectionError
from kafka_saga.inspection.commands.skipping import ContentError
from kafka_saga.inspection.log.reading import NotFoundError
from kafka_saga.views.port import OwnerGoneError, RestoringError

LOG = logging.getLogger("saga.views.api")

_RETRY_AFTER = 5
"""Seconds after which to ask again where nothing better is known."""

_TITLES = {
    ProblemType.INVALID: "The request is not valid",
    ProblemType.UNAUTHORIZED: "A token is needed",
    ProblemType.FORBIDDEN: "This is not allowed from there",
    ProblemType.NOT_FOUND: "There is no such thing",
    ProblemType.METHOD: "This method is not for this path",
    ProblemType.CONFLICT: "This is not how things stand",
    ProblemType.KEY_REUSED: "This key was used for another command",
    ProblemType.NOT_ACCEPTABLE: "There is no such representation",
    ProblemType.TOO_LARGE: "The request is too large",
    ProblemType.MEDIA_TYPE: "The content is not JSON",
    ProblemType.UNAVAILABLE: "This cannot be answered now",
    ProblemType.INTERNAL: "Something went wrong here",
}
_BY_STATUS = {
    400: ProblemType.INVALID,
    401: ProblemType.UNAUTHORIZED,
    403: ProblemType.FORBIDDEN,
    404: ProblemType.NOT_FOUND,
    405: ProblemType.METHOD,
    406: ProblemType.NOT_ACCEPTABLE,
    409: ProblemType.CONFLICT,
    413: ProblemType.TOO_LARGE,
    415: ProblemType.MEDIA_TYPE,
    503: ProblemType.UNAVAILABLE,
}


class ApiError(ChoreographyError):
    """A request that is answered by a problem."""

    def __init__(
        self, status: int, detail: str, errors: tuple[FieldProblem, ...] = (), kind: ProblemType | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = errors
        self.kind = kind


def invalid(error: ValidationError, where: str) -> ApiError:
    """What pydantic says of a request; `where` is `query` or `body`."""
    found = tuple(
        FieldProblem(field=".".join(map(str, one["loc"])) or where, detail=one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )
    said = "; ".join(f"{one.field}: {one.detail}" for one in found[:5])
    return ApiError(400, f"The {where} is not as it should be: {said}.", found)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error with a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _of_http(request, error)
    except Exception as error:  # the last resort is a problem, too, and a line in the log
        return answer(request, problem_of(request.path, error))


def problem_of(path: str, error: Exception) -> Problem:
    """The problem that an error is."""
    match error:
        case ApiError():
            return made(path, error.status, str(error), errors=error.errors, kind=error.kind)
        case RestoringError() | OwnerGoneError():
            return made(path, 503, _sentence(error), retry_after=max(1, math.ceil(error.retry_after_s)))
        case UnavailableError():
            return made(path, 503, _sentence(error), retry_after=_RETRY_AFTER)
        case NotFoundError():
            return made(path, 404, _sentence(error))
        case SelectionError() | ContentError():
            return made(path, 400, _sentence(error))
        case ChoreographyError():
            return made(path, 409, _sentence(error))
        case _:
            name = uuid4().hex[:12]
            LOG.error("%s failed (%s)", path, name, exc_info=error)
            return made(path, 500, f"This is our fault, not yours; it is in the log of this process under {name}.")


def made(
    path: str,
    status: int,
    detail: str,
    *,
    retry_after: int | None = None,
    errors: tuple[FieldProblem, ...] = (),
    kind: ProblemType | None = None,
) -> Problem:
    """A problem of this status; of the kind that is usual for it, if none is said."""
    kind = kind or _BY_STATUS.get(status, ProblemType.INVALID if status < 500 else ProblemType.INTERNAL)
    return Problem(
        type=kind.urn,
        title=_TITLES[kind],
        status=status,
        detail=detail,
        instance=path,
        retry_after=retry_after,
        errors=errors,
    )


def answer(request: web.Request, problem: Problem) -> web.Response:
    """A problem as an answer."""
    headers = {"Cache-Control": "no-store", "Content-Type": PROBLEM_JSON}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="saga"'
    text = problem.model_dump_json(exclude_none=True)
    return web.Response(status=problem.status, body=text.encode(errors="replace"), headers=headers)


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp itself turns away."""
    match error:
        case web.HTTPNotFound():
            detail = f"There is nothing at {request.path}: /api/v1/openapi.json lists what there is."
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            detail = f"{request.method} is not for this path; {allowed} is."
        case web.HTTPRequestEntityTooLarge():
            detail = "A request has at most 1 MiB."
        case _:
            detail = error.text or error.reason
    answered = answer(request, made(request.path, error.status, detail))
    if isinstance(error, web.HTTPMethodNotAllowed):
        answered.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return answered


def _sentence(error: Exception) -> str:
    text = str(error)
    begins_with_a_word = text.partition(" ")[0].isalpha()  # and not with a name, which is written as it is
    return text[:1].upper() + text[1:] if begins_with_a_word else text
