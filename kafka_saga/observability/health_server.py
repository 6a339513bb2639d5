"""Health, readiness and metrics over HTTP: `/healthz` (alive), `/readyz` (working, with reasons if not), `/metrics`."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from kafka_saga.errors import UnavailableError
from kafka_saga.observability.health import Health
from kafka_saga.observability.http_serving import runner_for


async def serve(health: Health, registry: CollectorRegistry, host: str, port: int) -> web.AppRunner:
    """Serve until the returned runner is cleaned up; `runner.addresses` has the address.

    Raises UnavailableError if the port cannot be had.
    """
    app = web.Application()

    async def healthz(_: web.Request) -> web.Response:
        status = 200 if health.is_alive else 503
        return web.json_response({"service": health.service, "alive": health.is_alive}, status=status)

    async def readyz(_: web.Request) -> web.Response:
        answer = {"service": health.service, "ready": not health.reasons, "reasons": list(health.reasons)}
        return web.json_response(answer, status=503 if health.reasons else 200)

    async def metrics(_: web.Request) -> web.Response:
        found = await asyncio.to_thread(generate_latest, registry)  # the lag asks the broker, handlers go on meanwhile
        return web.Response(body=found, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = runner_for(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise UnavailableError(
            f"{host}:{port} cannot be had for health and metrics ({error.strerror or error}): "
            "set SAGA_HTTP_PORT to a free port, or leave it unset"
        ) from None
    return runner
