"""Health over HTTP: alive, ready or why not, metrics; and a port that is taken."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.observability.health import Health
from kafka_saga.observability.health_server import serve
from kafka_saga.observability.metrics import Metrics


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def answers(health: Health) -> dict[str, tuple[int, str]]:
    runner = await serve(health, Metrics("llm").registry, "127.0.0.1", 0)
    port = runner.addresses[0][1]
    try:
        return {path: await ask(port, path) for path in ("/healthz", "/readyz", "/metrics")}
    finally:
        await runner.cleanup()


def test_a_service_that_has_not_begun_is_alive_but_not_ready() -> None:
    found = asyncio.run(answers(Health("llm")))
    assert found["/healthz"][0] == 200
    assert found["/readyz"] == (503, '{"service": "llm", "ready": false, "reasons": ["starting"]}')
    assert 'saga_records_total{kind="done",service="llm"} 0.0' in found["/metrics"][1]


def test_a_loop_that_stands_still_is_not_alive() -> None:
    found = asyncio.run(answers(Health("llm", turned_at=1.0, reasons=(), now=lambda: 100.0)))
    assert (found["/healthz"][0], found["/readyz"][0]) == (503, 200)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port} cannot be had for health and metrics"):
            asyncio.run(serve(Health("llm"), Metrics("llm").registry, "127.0.0.1", port))
