"""The place of the HTTP API: its port is taken first of all, and says why there are no answers until there are."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NoReturn

from aiohttp import web

from kafka_saga.api.health import Health, HealthStatus
from kafka_saga.errors import UnavailableError
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.observability.http_serving import runner_for
from kafka_saga.views.http_api.app import PREFIX, response
from kafka_saga.views.http_api.problems import problems
from kafka_saga.views.http_api.routes import Reply
from kafka_saga.views.settings import bracketed


class HttpServer:
    """A socket that listens from now on, and the application behind it, which can be replaced while it listens.

    Port 0 is any that is free; `requests` counts what comes. Raises UnavailableError if the port cannot be had.
    """

    def __init__(self, host: str, port: int, requests: Requests) -> None:
        self._socket = _listening(host, port)
        self._requests = requests
        self._runner: web.AppRunner | None = None
        self.port: int = self._socket.getsockname()[1]

    async def open_to(self, http: web.Application) -> None:
        """Have this application answer from now on; the one before it ends. Nobody is turned away in between."""
        before, self._runner = self._runner, runner_for(self._requests.before(http))
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket.dup()).start()
        if before is not None:
            await before.cleanup()

    async def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        if self._runner is not None:
            await self._runner.cleanup()


def waiting(who: web.RouteDef, why: Callable[[], str], kafka: str) -> web.Application:
    """What answers until there are tables: how things stand at `/health`, and a problem everywhere else."""
    app = web.Application(middlewares=[problems])

    async def health(_: web.Request) -> web.Response:
        return response(
            Reply(Health(status=HealthStatus.PARTIAL, workers=(), reasons=(why(),), behind_s=0, kafka=kafka))
        )

    async def refuse(_: web.Request) -> NoReturn:
        raise UnavailableError(why())

    app.add_routes([who, web.get(f"{PREFIX}/health", health), web.route("*", "/{rest:.*}", refuse)])
    return app


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = _family(host)
        return socket.create_server((host, port), family=family, dualstack_ipv6=family is socket.AF_INET6)
    except (OSError, UnicodeError) as error:
        why = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        raise UnavailableError(
            f"{bracketed(host)}:{port} cannot be had for the HTTP API ({why}): set SAGA_VIEWS_PORT to a free port, or "
            "SAGA_VIEWS_HOST to an address of this machine"
        ) from None


def _family(host: str) -> socket.AddressFamily:
    """IPv6 where a host has nothing else: a name of both is usually asked for by IPv4."""
    found = {family for family, *_ in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return socket.AF_INET6 if found == {socket.AF_INET6} else socket.AF_INET
