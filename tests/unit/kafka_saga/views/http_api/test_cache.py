"""An answer that is kept for a moment, and asked for again ahead of the next question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.views.http_api.cache import Cached


class Asked:
    """Counts; its clock is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.times = 0
        self.error: Exception | None = None

    async def ask(self) -> int:
        self.times += 1
        if self.error is not None:
            raise self.error
        return self.times


def run(story: Callable[[Asked, Cached[int]], Coroutine[None, None, None]], longest: float = 10.0) -> None:
    asked = Asked()
    asyncio.run(story(asked, Cached(2.0, longest, lambda: asked.now)))


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_an_answer_is_good_for_a_moment() -> None:
    async def story(asked: Asked, fresh: Cached[int]) -> None:
        assert [await fresh.get(asked.ask), await fresh.get(asked.ask)] == [1, 1]

    run(story)


def test_an_older_answer_is_given_at_once_while_the_next_is_asked_for() -> None:
    async def story(asked: Asked, fresh: Cached[int]) -> None:
        await fresh.get(asked.ask)
        asked.now += 3
        assert await fresh.get(asked.ask) == 1
        await settled()
        assert (await fresh.get(asked.ask), asked.times) == (2, 2)

    run(story)


def test_an_answer_that_is_too_old_is_waited_for() -> None:
    async def story(asked: Asked, fresh: Cached[int]) -> None:
        await fresh.get(asked.ask)
        asked.now += 10
        assert await fresh.get(asked.ask) == 2

    run(story)


def test_what_goes_wrong_ahead_is_told_when_the_answer_is_too_old() -> None:
    async def story(asked: Asked, fresh: Cached[int]) -> None:
        await fresh.get(asked.ask)
        asked.now += 3
        asked.error = UnavailableError("Kafka is away")
        assert await fresh.get(asked.ask) == 1
        await settled()
        asked.now += 8
        with pytest.raises(UnavailableError):
            await fresh.get(asked.ask)

    run(story)


def test_it_is_kept_fresh_as_long_as_it_is_wanted() -> None:
    async def story(asked: Asked, fresh: Cached[int]) -> None:
        await fresh.keep(asked.ask, 60)
        assert asked.times == 1
        asked.now += 5
        await fresh.keep(asked.ask, 60)
        assert asked.times == 1
        await fresh.get(asked.ask)
        await settled()
        asked.now += 5
        await fresh.keep(asked.ask, 60)
        assert asked.times == 3
        asked.now += 61
        await fresh.keep(asked.ask, 60)
        assert asked.times == 3

    run(story)
