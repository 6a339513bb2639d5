"""Two workers with one address find one another out, and an address that leads nowhere is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from kafka_saga.errors import TopologyError
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.views.http_server import HttpServer
from kafka_saga.views.identity import OwnAddress, introducing, somebody
from kafka_saga.views.peers import Peers, Who


@asynccontextmanager
async def served(who: Who | None) -> AsyncIterator[str]:
    """The address of a worker, or of something else."""
    door = HttpServer("127.0.0.1", 0, Requests("views", CollectorRegistry()))
    app = web.Application()
    if who is not None:
        app.add_routes([introducing(who)])
    await door.open_to(app)
    try:
        yield f"http://127.0.0.1:{door.port}"
    finally:
        await door.close()


async def looked(url: str, me: Who) -> OwnAddress:
    async with aiohttp.ClientSession() as session:
        address = OwnAddress(Peers(session), url, me)
        await address.look()
        await address.look()
        return address


def test_an_address_that_leads_back_is_well() -> None:
    async def go() -> OwnAddress:
        me = somebody()
        async with served(me) as url:
            return await looked(url, me)

    assert asyncio.run(go()).complaints() == ()


def test_a_worker_that_finds_another_at_its_address_says_who_it_is_and_what_to_do() -> None:
    other = Who("other", 4711, "elsewhere")

    async def go() -> None:
        async with served(other) as url:
            await looked(url, somebody())

    with pytest.raises(TopologyError, match=r"process 4711 on elsewhere.*SAGA_VIEWS_PORT.*SAGA_VIEWS_URL"):
        asyncio.run(go())


def test_an_address_where_nobody_is_or_somebody_else_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def go() -> list[OwnAddress]:
        async with served(None) as url:
            something = await looked(url, somebody())
        return [something, await looked(url, somebody()), await looked("http://no-such-host.invalid:1", somebody())]

    with caplog.at_level(logging.WARNING):
        found = asyncio.run(go())
    for address in found:
        [sentence] = address.complaints()
        assert "does not lead back to it" in sentence
        assert "SAGA_VIEWS_URL" in sentence
    assert len(caplog.records) == 3


def test_an_address_that_leads_back_again_is_well_again() -> None:
    async def go() -> tuple[str, str]:
        me = somebody()
        async with served(None) as url, aiohttp.ClientSession() as session:
            address = OwnAddress(Peers(session), url, me)
            await address.look()
            before = address.wrong
        door = HttpServer("127.0.0.1", int(url.rpartition(":")[2]), Requests("views", CollectorRegistry()))
        app = web.Application()
        app.add_routes([introducing(me)])
        await door.open_to(app)
        async with aiohttp.ClientSession() as session:
            address._peers = Peers(session)
            await address.look()
        await door.close()
        return before, address.wrong

    before, after = asyncio.run(go())
    assert before
    assert after == ""
