"""The place of the API: taken at once, never without an answer, and whose place it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from kafka_saga.api.health import Health, HealthStatus
from kafka_saga.api.problems import PROBLEM_JSON, Problem
from kafka_saga.console.api_client import Api, new_session
from kafka_saga.console.app import make_app
from kafka_saga.console.process import why_not_ready
from kafka_saga.console.settings import ConsoleSettings
from kafka_saga.errors import UnavailableError
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.views.http_server import HttpServer, waiting
from kafka_saga.views.identity import introducing, somebody

WHY = "the tables wait for Kafka: Kafka does not answer at 127.0.0.1:9 (waited 4 s). Start it."
PATHS = ("/api/v1/sagas", "/api/v1/topology", "/api/v1/dead-letters", "/api/v1/openapi.json", "/internal/v1/changes")


@asynccontextmanager
async def doors(
    host: str = "127.0.0.1", registry: CollectorRegistry | None = None
) -> AsyncIterator[tuple[HttpServer, str]]:
    """A door that waits, and its address."""
    door = HttpServer(host, 0, Requests("views", registry or CollectorRegistry()))
    try:
        await door.open_to(waiting(introducing(somebody()), lambda: WHY, "127.0.0.1:9"))
        yield door, f"http://{'[::1]' if host == '::1' else host}:{door.port}"
    finally:
        await door.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_until_there_are_tables_everything_is_answered_with_why_there_are_none(method: str, path: str) -> None:
    async def go() -> tuple[aiohttp.ClientResponse, Problem]:
        async with doors() as (_, url), aiohttp.request(method, url + path, data=b"{}") as answer:
            return answer, Problem.model_validate_json(await answer.read())

    answer, problem = asyncio.run(go())
    assert (answer.status, answer.content_type) == (503, PROBLEM_JSON)
    assert int(answer.headers["Retry-After"]) == problem.retry_after == 5
    assert problem.detail == f"T{WHY[1:]}"
    assert problem.instance == path


def test_health_answers_and_says_why_there_are_no_tables() -> None:
    async def go() -> Health:
        async with doors() as (_, url), aiohttp.request("GET", f"{url}/api/v1/health") as answer:
            assert answer.status == 200
            return Health.model_validate_json(await answer.read())

    found = asyncio.run(go())
    assert (found.status, found.reasons, found.workers) == (HealthStatus.PARTIAL, (WHY,), ())
    assert found.kafka == "127.0.0.1:9"


def test_who_is_turned_away_is_counted() -> None:
    registry = CollectorRegistry()

    async def go() -> None:
        async with doors(registry=registry) as (_, url), aiohttp.request("GET", f"{url}/api/v1/sagas"):
            pass

    asyncio.run(go())
    labels = {"service": "views", "method": "GET", "route": "/{rest}", "status": "503"}
    assert registry.get_sample_value("saga_http_requests_total", labels) == 1


def test_the_console_is_not_ready_while_there_are_no_tables() -> None:
    async def go() -> tuple[str, ...]:
        async with doors() as (_, url), new_session() as session:
            return await why_not_ready(Api(session, url, None))

    assert asyncio.run(go()) == (f"no answers to show: {WHY}",)


def test_the_console_shows_why_there_are_no_tables() -> None:
    async def go() -> tuple[int, str]:
        async with doors() as (_, url):
            settings = ConsoleSettings.model_validate({"console_token": "a-token-that-opens-nothing", "views_url": url})
            pages = TestClient(TestServer(make_app(settings)))
            async with pages, pages.get("/sagas") as answer:
                return answer.status, await answer.text()

    status, text = asyncio.run(go())
    assert status == 503
    assert "The tables wait for Kafka: Kafka does not answer at 127.0.0.1:9 (waited 4 s). Start it." in text
    assert "Traceback" not in text


def test_while_one_application_follows_another_everybody_is_answered_by_one_of_them() -> None:
    async def asked(session: aiohttp.ClientSession, url: str) -> str:
        async with session.get(url) as answer:
            return await answer.text()

    async def go() -> list[str]:
        found = []
        async with doors() as (door, url):
            for name in map(str, range(20)):
                app = web.Application()
                app.router.add_get("/", _saying(name))
                async with aiohttp.ClientSession() as session:
                    opening = asyncio.ensure_future(door.open_to(app))
                    answers = await asyncio.gather(*(asked(session, url) for _ in range(10)))
                    await opening
                    found.append(await asked(session, url))
                    assert all(one in {name, str(int(name) - 1)} or WHY[1:] in one for one in answers), answers
        return found

    assert asyncio.run(go()) == [str(number) for number in range(20)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0.0.0.0"])  # taken for a moment
def test_a_door_is_where_it_is_told_to_be(host: str) -> None:
    async def go() -> int:
        async with doors(host) as (door, _):
            there = {"0.0.0.0": "127.0.0.1"}.get(host, host)
            with socket.create_connection((there, door.port), timeout=5):
                return door.port

    assert asyncio.run(go()) > 0


def test_a_port_that_is_taken_is_named_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            UnavailableError, match=rf"^127\.0\.0\.1:{port} .*Address already in use\).*SAGA_VIEWS_PORT"
        ):
            HttpServer("127.0.0.1", port, Requests("views", CollectorRegistry()))


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "2001:db8::1", "x" * 70])
def test_an_address_that_is_not_of_this_machine_is_named(host: str) -> None:
    with pytest.raises(UnavailableError, match="SAGA_VIEWS_HOST"):
        HttpServer(host, 0, Requests("views", CollectorRegistry()))


def _saying(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def say(_: web.Request) -> web.Response:
        return web.Response(text=name)

    return say
