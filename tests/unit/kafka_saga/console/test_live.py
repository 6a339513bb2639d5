from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kafka_saga.api.problems import Problem
from kafka_saga.console.live import Calls, ServerEvent, events_of
from tests.unit.kafka_saga.console.consoles import running


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_change_is_told_at_once_and_the_next_after_the_interval() -> None:
    clock = Clock()
    calls = Calls(1.0, clock)
    assert (calls.is_due(), calls.wait(10)) == (False, 10)
    calls.changed()
    assert (calls.wait(10), calls.is_due(), calls.is_due()) == (0, True, False)
    clock.now += 0.25
    calls.changed()
    calls.changed()
    assert (calls.is_due(), calls.wait(10)) == (False, 0.75)
    clock.now += 0.75
    assert (calls.is_due(), calls.is_due()) == (True, False)


def test_events_are_read_as_the_specification_says() -> None:
    async def go() -> list[ServerEvent]:
        async def lines() -> AsyncIterator[bytes]:
            for line in (b": hello\n", b"event: saga\n", b"data: {\n", b"data:1}\r\n", b"id: 3\n", b"\n",
                         b"event: none\n", b"\n", b"data\n", b"\n", b"data: cut"):  # fmt: skip
                yield line

        return [event async for event in events_of(lines())]

    assert asyncio.run(go()) == [ServerEvent("saga", "{\n1}"), ServerEvent("message", "")]


async def next_event(stream: AsyncIterator[ServerEvent]) -> ServerEvent:
    async with asyncio.timeout(10):
        return await anext(stream)


def test_an_open_page_hears_of_a_change_and_of_staleness() -> None:
    async def go() -> None:
        async with running() as console, console.client.get("/live?saga_id=a%2Fb%401") as answer:
            stream = events_of(answer.content.__aiter__())
            assert "live" in (await next_event(stream)).data
            console.api.say("saga", {"saga_id": "a/b@1"})
            assert await next_event(stream) == ServerEvent("changed", "1")
            console.api.say("behind", {"behind_s": 12.4})
            event = await next_event(stream)
            assert event.name == "standing"
            assert "12.0 s behind" in event.data

    asyncio.run(go())


def test_an_open_page_hears_that_the_tables_are_away() -> None:
    async def go() -> None:
        async with running() as console:
            console.api.problem = Problem(type="urn:x", title="Restoring", status=503, detail="3 of 4", instance="/")
            async with console.client.get("/live") as answer:
                event = await next_event(events_of(answer.content.__aiter__()))
                assert event.name == "standing"
                assert "Not live" in event.data
                assert "3 of 4" in event.data

    asyncio.run(go())


def test_streams_end_when_the_console_stops() -> None:
    async def go() -> int:
        async with running() as console:
            answer = await console.client.get("/live")
            await next_event(events_of(answer.content.__aiter__()))
        return len(console.api.streams)

    async def in_time() -> int:
        async with asyncio.timeout(10):
            return await go()

    assert asyncio.run(in_time()) == 0
