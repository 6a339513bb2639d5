"""A console before a fake API, on ports of this machine, for as long as a test's block lasts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Request

from kafka_saga.console.app import make_app
from kafka_saga.console.settings import ConsoleSettings
from services.app import APP
from tests.unit.kafka_saga.console.fake_api import FakeApi

TOKEN = "a token of the console"  # noqa: S105  # it opens nothing


@dataclass(frozen=True)
class Console:
    """A running console, a browser's cookies, and the API behind it."""

    api: FakeApi
    client: TestClient[Request, None]

    @property
    def origin(self) -> str:
        return f"http://{self.client.host}:{self.client.port}"

    async def text(self, path: str, **headers: str) -> str:
        """A page's text, whatever its status."""
        async with self.client.get(_as_is(self, path), headers=headers) as answer:
            return await answer.text()

    async def status(self, path: str, **headers: str) -> int:
        async with self.client.get(_as_is(self, path), headers=headers) as answer:
            return answer.status

    async def csrf(self, path: str = "/login") -> str:
        """What a form of this browser carries."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', await self.text(path))
        assert found is not None
        return found[1]

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> aiohttp.ClientResponse:
        """Send a form as the page's own."""
        carried = {"csrf": await self.csrf(), **fields}
        own = {"Origin": self.origin, **headers}
        async with self.client.post(path, data=carried, headers=own, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def log_in(self, author: str = "ada") -> None:
        answer = await self.send("/login", {"token": TOKEN, "author": author, "next": "/sagas"})
        assert answer.status == 303


@asynccontextmanager
async def running(**settings: object) -> AsyncIterator[Console]:
    """A console; `settings` as its environment would give them."""
    fake = FakeApi()
    async with TestServer(fake.app(), host="127.0.0.1") as server:
        given = {"console_token": TOKEN, "views_url": str(server.make_url("/")), **settings}
        app = make_app(ConsoleSettings.model_validate(given), APP)
        async with TestServer(app, host="127.0.0.1") as pages:
            jar = aiohttp.CookieJar(unsafe=True)
            client: TestClient[Request, None] = TestClient(pages, cookie_jar=jar)
            async with client:
                yield Console(fake, client)


def _as_is(console: Console, path: str) -> str:
    """Quoted pieces of a path stay quoted."""
    return path
