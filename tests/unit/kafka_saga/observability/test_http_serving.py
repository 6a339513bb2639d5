"""HTTP servers: what clients send wrong is answered, and is a line of the log at most."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from kafka_saga.observability.http_serving import LONGEST_LINE, runner_for

Ask = Callable[[bytes], Awaitable[bytes]]


def served(scenario: Callable[[Ask], Awaitable[None]]) -> None:
    """Run it with a way to send bytes to a server that says how long the query is."""

    async def length(request: web.Request) -> web.Response:
        return web.Response(text=str(len(request.query_string)))

    async def run() -> None:
        app = web.Application()
        app.add_routes([web.get("/length", length)])
        runner = runner_for(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            await scenario(lambda said: asked(runner.addresses[0][1], said))
        finally:
            await runner.cleanup()

    asyncio.run(run())


async def asked(port: int, said: bytes) -> bytes:
    """All that is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def request(query: int) -> bytes:
    return b"GET /length?" + b"q" * query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_long_addresses_are_read() -> None:
    async def scenario(ask: Ask) -> None:
        assert (await ask(request(60_000))).endswith(b"60000")

    served(scenario)


@pytest.mark.parametrize("said", [request(LONGEST_LINE + 1), b"no http at all\r\n\r\n", b"GET / HTTP/1.1\r\n:\r\n\r\n"])
def test_what_is_no_http_is_answered_and_leaves_no_traceback(said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(ask: Ask) -> None:
        assert (await ask(said)).startswith(b"HTTP/1.0 400")

    with caplog.at_level(logging.DEBUG, "saga.http"):
        served(scenario)
    assert all(line.levelno <= logging.INFO and not line.exc_info for line in caplog.records)


def test_an_error_of_ours_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("saga.http").error("oh", exc_info=ValueError("ours"))
    assert [bool(line.exc_info) for line in caplog.records] == [True]
