"""The console's application: pages, static files, and what guards them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from kafka_saga.app import NO_APP, App, resolve
from kafka_saga.console import guard, live, refusals, rendering
from kafka_saga.console.api_client import Api, new_session
from kafka_saga.console.keys import API, SESSIONS, SETTINGS
from kafka_saga.console.pages import access, incidents, letters, saga, sagas, steering, topology
from kafka_saga.console.sessions import Sessions
from kafka_saga.console.settings import ConsoleSettings

MAX_FORM = 2 * 1024 * 1024
"""Bytes: a thousand saga ids, each a thousand characters long."""


def make_app(settings: ConsoleSettings, app: App = NO_APP) -> web.Application:
    """The console by its settings, with the pages and links of an application on the framework."""
    made = web.Application(
        middlewares=[refusals.explained, guard.known_hosts, guard.same_origin, guard.with_session],
        client_max_size=MAX_FORM,
    )
    made[SETTINGS] = settings
    made[SESSIONS] = Sessions(settings.console_token)
    made[live.STREAMS] = live.Streams()
    rendering.set_up(made, app)
    made.on_response_prepare.append(guard.add_headers)
    made.on_shutdown.append(live.end_streams)
    made.cleanup_ctx.append(_api)
    for part in (sagas, saga, incidents, letters, topology, steering, access, live):
        made.add_routes(part.ROUTES)
    for page in app.pages:
        made.add_routes(resolve(page.routes))
    made.router.add_static("/static/", rendering.STATIC)
    return made


async def _api(app: web.Application) -> AsyncIterator[None]:
    async with new_session() as session:
        app[API] = Api(session, app[SETTINGS].views_url, app[SETTINGS].api_token)
        yield
    await asyncio.sleep(0)
