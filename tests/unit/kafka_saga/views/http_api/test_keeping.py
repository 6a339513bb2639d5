"""What the API asks Kafka with is kept warm: the first question need not wait, and clients that fail are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, TypeVar

import pytest
from aiohttp import web

from kafka_saga.api.topology import PausedScope
from kafka_saga.broker.port import Cluster
from kafka_saga.errors import UnavailableError
from kafka_saga.views.http_api import keeping
from kafka_saga.views.http_api.cache import Cached
from tests.unit.kafka_saga.views.http_api.conftest import World, sources_of

T = TypeVar("T")


class Noted(Cached[T], Generic[T]):
    """Says when something has been kept."""

    def __init__(self) -> None:
        super().__init__(60.0)
        self.is_kept = asyncio.Event()

    async def keep(self, ask: Callable[[], Awaitable[T]], while_s: float) -> None:
        await super().keep(ask, while_s)
        self.is_kept.set()


async def nobody() -> tuple[PausedScope, ...]:
    """An answer that must not be needed."""
    raise AssertionError("it was not kept")


def test_the_first_answers_are_there_before_anybody_asks_and_all_ends_with_the_server(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "EVERY", 0.0)
    renewed: list[str] = []
    failures = [UnavailableError("Kafka does not answer")] * 2

    def cluster() -> Cluster:
        if failures:
            raise failures.pop()
        return world.test.system.cluster

    async def go() -> tuple[PausedScope, ...]:
        held = Noted[tuple[PausedScope, ...]]()
        made = replace(sources_of(world.test, world.tables), cluster=cluster, held=held)
        sources = replace(made, renew=lambda: renewed.append("renewed"))
        context = keeping.keeping(sources)(web.Application())
        await anext(context)
        async with asyncio.timeout(20):
            await held.is_kept.wait()
        assert renewed == ["renewed"] * 2
        found = await held.get(nobody)
        with pytest.raises(StopAsyncIteration):
            await anext(context)
        return found

    assert [one.scope for one in asyncio.run(go())] == ["step:code_review/comment"]
    assert renewed == ["renewed"] * 3
