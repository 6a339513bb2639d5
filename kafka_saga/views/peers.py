"""Workers ask one another over HTTP: what is asked, what is answered, and who could not be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec
from aiohttp import web

from kafka_saga.errors import UnavailableError
from kafka_saga.views.answers import Answers, FiguresPart, KeyPart
from kafka_saga.views.feed import Ear, Feed
from kafka_saga.views.port import Change, IncidentPart, IncidentQuery, Lagging, SagaQuery, TablePart

T = TypeVar("T")

PATH = "/internal/v1"

PATIENCE = 5.0
"""Seconds that a worker gets to answer another."""

BEAT = 1.0
"""Seconds between two words on how far a worker is behind, to those that listen."""


class Said(msgspec.Struct, frozen=True):
    """A worker's answer: for which partitions it speaks, how far it is behind, what is wrong, and the answer."""

    partitions: tuple[int, ...]
    behind_s: float
    complaints: tuple[str, ...] = ()
    answer: msgspec.Raw = msgspec.Raw(b"null")


class Who(msgspec.Struct, frozen=True):
    """A worker: the id that it has for as long as it runs, its process, and its machine."""

    id: str
    process: int
    host: str

    @property
    def encoded(self) -> bytes:
        """As it is sent."""
        return msgspec.json.encode(self)


class OfKey(msgspec.Struct, frozen=True):
    """Asks for the sagas of a business key."""

    key: str


class Nothing(msgspec.Struct, frozen=True):
    """Asks for something that needs no saying."""


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of question: its name, what is sent, and what comes back."""

    name: str
    asks: type[Any]
    answers: type[Any]


SAGAS = Question("sagas", SagaQuery, TablePart)
INCIDENTS = Question("incidents", IncidentQuery, IncidentPart)
OF_KEY = Question("key", OfKey, KeyPart)
FIGURES = Question("figures", Nothing, FiguresPart)
STANDING = Question("standing", Nothing, Nothing)

QUESTIONS = {question.name: question for question in (SAGAS, INCIDENTS, OF_KEY, FIGURES, STANDING)}


class PeerError(UnavailableError):
    """Another worker cannot be reached, or answers nonsense."""


def answer(answers: Answers, question: object) -> object:
    """This worker's part."""
    match question:
        case SagaQuery():
            return answers.sagas(question)
        case IncidentQuery():
            return answers.incidents(question)
        case OfKey(key):
            return answers.of_key(key)
        case _:
            return None


def said(answers: Answers, kind: Question, question: object) -> Said:
    """This worker's answer."""
    found = answers.figures() if kind is FIGURES else answer(answers, question)
    body = msgspec.Raw(msgspec.json.encode(found if found is not None else Nothing()))
    return Said(tuple(sorted(answers.ready)), answers.behind_s, answers.complaints(), body)


class Peers:
    """Asks other workers."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, url: str, kind: Question, question: object) -> Said:
        """What the worker at `url` says. Raises PeerError."""
        return await self._asked(url, "POST", kind.name, Said, msgspec.json.encode(question))

    async def who(self, url: str) -> Who:
        """Which worker is at `url`. Raises PeerError."""
        return await self._asked(url, "GET", "who", Who)

    async def listen(self, url: str, saga_id: str | None) -> AsyncIterator[Change]:
        """What changes at the worker at `url`, until the connection ends. Raises PeerError if it breaks."""
        timeout = aiohttp.ClientTimeout(None, connect=PATIENCE / 2, sock_read=PATIENCE * BEAT)
        params = {} if saga_id is None else {"saga_id": saga_id}
        decoder = msgspec.json.Decoder(Change)
        try:
            async with self._session.get(f"{url}{PATH}/changes", params=params, timeout=timeout) as response:
                async for line in _lines(response):
                    yield decoder.decode(line)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise PeerError(f"the worker at {url} is not heard any more ({type(error).__name__})") from error

    async def _asked(self, url: str, method: str, name: str, kind: type[T], body: bytes | None = None) -> T:
        timeout = aiohttp.ClientTimeout(PATIENCE, connect=PATIENCE / 2)
        try:
            async with self._session.request(method, f"{url}{PATH}/{name}", data=body, timeout=timeout) as response:
                if response.status != 200:
                    raise PeerError(f"the worker at {url} answers {response.status}")
                return msgspec.json.decode(await response.read(), type=kind)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise PeerError(f"the worker at {url} does not answer ({type(error).__name__})") from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of an answer, however long they are."""
    rest = b""
    async for piece in response.content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line


def routes(answers: Answers, feed: Feed) -> list[web.RouteDef]:
    """What this worker answers others."""

    async def asked(request: web.Request) -> web.Response:
        kind = QUESTIONS.get(request.match_info["name"])
        if kind is None:
            raise web.HTTPNotFound
        try:
            question = msgspec.json.decode(await request.read(), type=kind.asks)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.Response(body=msgspec.json.encode(said(answers, kind, question)), content_type="application/json")

    async def changes(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        ear = Ear(request.query.get("saga_id"))
        with feed.listening(ear):
            while True:
                change = await ear.hear(BEAT) or Lagging(answers.behind_s)
                await response.write(msgspec.json.encode(change) + b"\n")

    return [web.post(f"{PATH}/{{name}}", asked), web.get(f"{PATH}/changes", changes)]
