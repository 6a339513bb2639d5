"""The HTTP API as the console uses it: questions out, values in; every way to get no answer is one problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from kafka_saga.api.problems import PROBLEM_JSON, Problem, ProblemType

PATIENCE = 10.0
"""Seconds that a question may take."""

HEARTBEATS = 30.0
"""Seconds of silence after which a stream counts as cut off: the API sends a comment every 10."""

Params = Sequence[tuple[str, str]]
M = TypeVar("M", bound=BaseModel)


class Unanswered(Exception):  # noqa: N818  # it is what it says, and often nobody's error
    """The API has no answer; the problem says why, and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Api:
    """A client of `/api/v1` at `url`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, model: type[M], path: str, params: Params = ()) -> M:
        """Ask for a value. Raises Unanswered."""
        return await self._ask(model, "GET", path, params=params)

    async def post(self, model: type[M], path: str, body: BaseModel, headers: Mapping[str, str] | None = None) -> M:
        """Give a command. Raises Unanswered."""
        return await self._ask(
            model, "POST", path, content=body.model_dump_json(), headers={**self._headers, **(headers or {})}
        )

    @asynccontextmanager
    async def changes(self, params: Params = ()) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of the stream of changes. Raises Unanswered."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=HEARTBEATS)
        try:
            async with self._session.get(self._at("/changes", params), timeout=timeout) as answer:
                if answer.status != HTTPStatus.OK:
                    raise Unanswered(_problem(answer, await answer.read()))
                yield answer.content.__aiter__()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unanswered(self._away("/changes", error)) from None

    async def _ask(
        self,
        model: type[M],
        method: str,
        path: str,
        *,
        params: Params = (),
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> M:
        sent = {"Content-Type": "application/json", **(headers or {})} if content is not None else None
        try:
            async with self._session.request(method, self._at(path, params), data=content, headers=sent) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unanswered(self._away(path, error)) from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Unanswered(_problem(answer, body))
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise Unanswered(_misunderstood(path, error)) from None

    def _at(self, path: str, params: Params) -> URL:
        """A path whose parts are quoted already stays as it is."""
        at = URL(f"{self._url}/api/v1{path}", encoded=True)
        return at.with_query(list(params)) if params else at

    def _away(self, path: str, error: Exception) -> Problem:
        why = "no answer in time" if isinstance(error, asyncio.TimeoutError) else "nobody listens there"
        return Problem(
            type=ProblemType.UNAVAILABLE.urn,
            title="The tables cannot be reached",
            status=503,
            detail=f"The views at {self._url} do not answer ({why}). Start them with `saga up` or "
            "`python -m services.views`, or set SAGA_VIEWS_URL to where they are.",
            instance=path,
            retry_after=2,
        )


def new_session() -> aiohttp.ClientSession:
    """A session with our patience; close it."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))


def part(text: str) -> str:
    """A piece of a path: a saga's id may hold anything."""
    return quote(text, safe="")


def _problem(answer: aiohttp.ClientResponse, body: bytes) -> Problem:
    if answer.content_type == PROBLEM_JSON:
        try:
            return Problem.model_validate_json(body)
        except ValidationError:
            pass
    return Problem(
        type=ProblemType.INTERNAL.urn,
        title="The tables gave no answer",
        status=answer.status if answer.status >= HTTPStatus.BAD_REQUEST else 502,
        detail=f"The views answered with status {answer.status} and no explanation: see their log.",
        instance=answer.url.path,
    )


def _misunderstood(path: str, error: ValidationError) -> Problem:
    first = error.errors()[0]
    where = ".".join(str(one) for one in first["loc"])
    return Problem(
        type=ProblemType.INTERNAL.urn,
        title="The answer could not be read",
        status=502,
        detail=f"The views' answer is not what this console expects ({where}: {first['msg']}): "
        "run views and console of the same version.",
        instance=path,
    )
