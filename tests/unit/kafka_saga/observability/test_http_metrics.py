"""Requests are counted by route and status, whatever clients send, and answers are timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientSession, ClientTimeout, web
from prometheus_client import CollectorRegistry

from kafka_saga.observability.http_metrics import Requests
from kafka_saga.observability.http_serving import runner_for


def counted(scenario: Callable[[ClientSession, str], Awaitable[None]]) -> CollectorRegistry:
    """What is counted while it asks a server."""
    registry = CollectorRegistry()
    waiting = asyncio.Event()

    async def say(request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["name"])

    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    async def refuse(_: web.Request) -> web.Response:
        raise web.HTTPConflict

    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        return answer

    async def wait(_: web.Request) -> web.Response:
        await waiting.wait()
        return web.Response()

    async def run() -> None:
        inner = web.Application()
        inner.add_routes([web.get("/say/{name:[^/]+}", say), web.get("/fail", fail), web.post("/refuse", refuse)])
        inner.add_routes([web.get("/stream", stream), web.get("/wait", wait)])
        app = web.Application()
        app.add_subapp("/api", inner)
        runner = runner_for(Requests("views", registry).before(app))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with ClientSession() as session:
                await scenario(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()

    asyncio.run(run())
    return registry


def count(registry: CollectorRegistry, method: str, route: str, status: int) -> float | None:
    labels = {"service": "views", "method": method, "route": route, "status": str(status)}
    return registry.get_sample_value("saga_http_requests_total", labels)


def test_requests_are_counted_by_route_and_status() -> None:
    async def scenario(session: ClientSession, url: str) -> None:
        for name in ("a", "b%2Fc"):
            await session.get(f"{url}/api/say/{name}")
        await session.get(f"{url}/api/fail")
        await session.post(f"{url}/api/refuse")
        await session.get(f"{url}/api/nowhere/{'x' * 500}")
        await session.get(f"{url}/nowhere")
        await session.request("PROPFIND", f"{url}/api/fail")

    found = counted(scenario)
    assert count(found, "GET", "/api/say/{name}", 200) == 2
    assert count(found, "GET", "/api/fail", 500) == 1
    assert count(found, "POST", "/api/refuse", 409) == 1
    assert count(found, "GET", "none", 404) == 2
    assert count(found, "other", "none", 405) == 1
    timed = {"service": "views", "method": "GET", "route": "/api/say/{name}"}
    assert found.get_sample_value("saga_http_request_seconds_count", timed) == 2


def test_a_stream_is_counted_when_it_ends_and_not_timed() -> None:
    async def scenario(session: ClientSession, url: str) -> None:
        async with session.get(f"{url}/api/stream") as answer:
            await answer.read()

    found = counted(scenario)
    assert count(found, "GET", "/api/stream", 200) == 1
    timed = {"service": "views", "method": "GET", "route": "/api/stream"}
    assert found.get_sample_value("saga_http_request_seconds_count", timed) is None


def test_a_client_that_leaves_is_counted_as_one() -> None:
    async def scenario(session: ClientSession, url: str) -> None:
        try:
            await session.get(f"{url}/api/wait", timeout=ClientTimeout(total=0.2))
        except TimeoutError:
            return
        raise AssertionError("it was answered")

    assert count(counted(scenario), "GET", "/api/wait", 499) == 1
