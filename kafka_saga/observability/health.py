"""Health, readiness and metrics over HTTP: `/healthz` (alive), `/readyz` (working, with reasons if not), `/metrics`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from kafka_saga.engine.runner import Runner
from kafka_saga.errors import UnavailableError
from kafka_saga.observability.http_serving import runner_for

STALLED = 60.0
"""Seconds without a turn of the loop after which a service is no longer alive."""


@dataclass(slots=True)
class Health:
    """What the loop leaves behind for others to look at; written by one thread, read by another."""

    service: str
    turned_at: float = 0.0
    reasons: tuple[str, ...] = ("starting",)
    now: Callable[[], float] = field(default=time.monotonic)

    def note(self, runner: Runner) -> None:
        """The loop has gone round."""
        self.turned_at = self.now()
        self.reasons = why_not_ready(runner)

    @property
    def is_alive(self) -> bool:
        """Whether the loop goes round."""
        return self.turned_at == 0.0 or self.now() - self.turned_at < STALLED


def why_not_ready(runner: Runner) -> tuple[str, ...]:
    """What keeps a service from working on some of its records, as sentences; empty if nothing does."""
    if not runner.is_member:
        return ("no partitions yet: the group is rebalancing",)
    reasons = [
        f"{at.topic}[{at.partition}] stands still: most of its last records could not be decoded; "
        "mend the producer, then `saga dlq continue` this service, or restart it"
        for at in runner.quarantined()
    ]
    reasons += [f"partition {number} waits: other topics of it lie elsewhere" for number in runner.incomplete()]
    reasons += [f"partition {task.number} waits: its state is being restored" for task in runner.restoring()]
    return tuple(reasons)


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
