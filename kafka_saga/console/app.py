"""The console's application: pages, static files, and what guards them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from kafka_saga.console import guard, live, refusals, rendering
from kafka_saga.console.api import Api, new_session
from kafka_saga.console.keys import API, SESSIONS, SETTINGS
from kafka_saga.console.pages import access, incidents, letters, saga, sagas, steering, topology
from kafka_saga.console.sessions import Sessions
from kafka_saga.console.settings import ConsoleSettings
from services.app import page

MAX_FORM = 2 * 1024 * 1024
"""Bytes: a thousand saga ids, each a thousand characters long."""


def make_app(settings: ConsoleSettings) -> web.Application:
    """The application by its settings."""
    app = web.Application(
        middlewares=[refusals.explained, guard.known_hosts, guard.same_origin, guard.with_session],
        client_max_size=MAX_FORM,
    )
    app[SETTINGS] = settings
    app[SESSIONS] = Sessions(settings.console_token)
    app[live.STREAMS] = live.Streams()
    rendering.set_up(app)
    app.on_response_prepare.append(guard.add_headers)
    app.on_shutdown.append(live.end_streams)
    app.cleanup_ctx.append(_api)
    for part in (sagas, saga, page, incidents, letters, topology, steering, access, live):
        app.add_routes(part.ROUTES)
    app.router.add_static("/static/", rendering.STATIC)
    return app


async def _api(app: web.Application) -> AsyncIterator[None]:
    async with new_session() as session:
        app[API] = Api(session, app[SETTINGS].views_url, app[SETTINGS].api_token)
        yield
    await asyncio.sleep(0)
