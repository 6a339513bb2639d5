"""The API as an aiohttp application, made of the table of routes; to be mounted below `/api/v1`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import get_origin

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from kafka_saga.api.model import Answer, Request
from kafka_saga.api.problems import FieldProblem
from kafka_saga.errors import DecodeError
from kafka_saga.views.http_api.access import check_write
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.handlers.changes import STREAMS, Streams, stop_streams
from kafka_saga.views.http_api.keeping import keeping
from kafka_saga.views.http_api.openapi import document
from kafka_saga.views.http_api.problems import ApiError, invalid, problems
from kafka_saga.views.http_api.routes import Call, Reply, Route
from kafka_saga.views.http_api.table import ROUTES
from kafka_saga.wire.json_text import json_object

PREFIX = "/api/v1"
MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""

BODY_WITHIN = 10.0
"""Seconds in which a request's body has to be there: of one that breaks off in the middle nothing more is heard."""


def api_app(sources: Dependencies, routes: Sequence[Route] = ROUTES) -> web.Application:
    """The application; mount it with `add_subapp(PREFIX, ...)`."""
    sources = sources.with_kept_clients()
    app = web.Application(middlewares=[problems], client_max_size=MAX_BODY)
    app[STREAMS] = Streams()
    app.on_shutdown.append(stop_streams)

    app.cleanup_ctx.append(keeping(sources))

    async def close(_: web.Application) -> None:
        await sources.titles.close()

    app.on_cleanup.append(close)
    for route in routes:
        app.router.add_route(route.method, _pattern(route.path), _dispatch(sources, route))
    text = json.dumps(document(routes, PREFIX, needs_token=bool(sources.token)))

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    app.router.add_route("GET", "/openapi.json", openapi)
    return app


def mounted(sources: Dependencies, more: Sequence[Route] = ()) -> web.Application:
    """A server's application with the API below its prefix; everything else there is a problem, too.

    `more`: routes that an application on the framework adds.
    """
    app = web.Application(middlewares=[problems], client_max_size=MAX_BODY)
    app.add_subapp(PREFIX, api_app(sources, (*ROUTES, *more)))
    return app


def _pattern(path: str) -> str:
    """Path parameters take anything that is no slash: a saga's id holds them percent-encoded."""
    return path.replace("}", ":[^/]+}")


def _dispatch(sources: Dependencies, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if route.is_write:
            check_write(request, sources.token)
        params = None if route.params is None else _params(route.params, request.query)
        if route.params is None and request.query:
            raise ApiError(400, f"This path takes no query: {', '.join(sorted(set(request.query)))[:200]}.")
        body = None if route.body is None else await _body(route.body, request)
        answer = await route.handler(sources, Call(request, dict(request.match_info), params, body))
        return answer if isinstance(answer, web.StreamResponse) else response(answer)

    return handle


def response(reply: Reply) -> web.Response:
    """An answer with its staleness as a header, too."""
    headers = {"Cache-Control": "no-store", **reply.headers}
    if isinstance(reply.value, Answer):
        headers["Saga-Behind-Seconds"] = f"{reply.value.behind_s:.3f}"
    return web.Response(status=reply.status, body=_json(reply.value), content_type="application/json", headers=headers)


def _json(value: BaseModel) -> bytes:
    try:
        return value.model_dump_json().encode()
    except (ValueError, UnicodeError):  # text of others may hold halves of characters, which JSON can only escape
        return json.dumps(value.model_dump(mode="python"), default=str).encode()


def _params(model: type[Request], query: MultiMapping[str]) -> Request:
    given: dict[str, object] = {}
    for name in dict.fromkeys(query.keys()):
        values = query.getall(name)
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is tuple:
            given[name] = tuple(values)
        elif len(values) > 1:
            raise ApiError(400, f"{name} is given {len(values)} times: give it once.")
        else:
            given[name] = values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error, "query") from None


async def _body(model: type[Request], request: web.Request) -> Request:
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
    try:
        async with asyncio.timeout(BODY_WITHIN):
            content = await request.read()
    except TimeoutError:
        raise ApiError(408, f"The body was not complete within {BODY_WITHIN:g} s.") from None
    except web.RequestPayloadError as error:
        raise ApiError(400, f"The body ends before its time, or is not framed as HTTP has it: {error}.") from None
    try:
        given = model.model_validate_json(content, strict=True)
        json_object(content)  # as strict as what goes on the log: every name once, no NaN, not too deep
    except ValidationError as error:
        raise invalid(error, "body") from None
    except DecodeError as error:
        raise ApiError(400, f"The body is not as it should be: {error.what}.", _of_body(error)) from None
    return given


def _of_body(error: DecodeError) -> tuple[FieldProblem, ...]:
    return (FieldProblem(field="body", detail=error.what),)
