"""Keeps what the API asks Kafka with warm: clients that answer, how far services are behind, and what is paused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from aiohttp import web

from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.errors import UnavailableError
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.handlers.topology import held_by, lags_of

EVERY = 2.0
"""Seconds between two looks; of clients that do not answer at one, the next question makes new ones."""

WANTED_FOR = 60.0
"""Seconds after the last look at the topology during which it is kept fresh."""


def keeping(sources: Dependencies) -> Callable[[web.Application], AsyncIterator[None]]:
    """The application's context in which everything is kept warm."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep(sources))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        sources.lags.close()
        sources.held.close()
        await asyncio.to_thread(sources.renew)

    return context


async def _keep(sources: Dependencies) -> None:
    while True:
        with suppress(UnavailableError):  # said by whatever is asked next, and the clients are given up
            await sources.blocking(lambda: sources.cluster().admin().partitions([SAGA_STATE]))
            await sources.lags.keep(lambda: lags_of(sources), WANTED_FOR)
            await sources.held.keep(lambda: held_by(sources), WANTED_FOR)
        await asyncio.sleep(EVERY)
