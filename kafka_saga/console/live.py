"""What an open page hears: something has changed, how far behind the tables are, and when they cannot be reached.

One connection of a browser is one to the API. Changes are passed on as "ask again", at most one per interval: the page
then asks for its part anew, so that what is shown is always one answer, never a patchwork.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from kafka_saga.api.health import Behind
from kafka_saga.console.api_client import Api, Params, Unanswered
from kafka_saga.console.keys import API
from kafka_saga.console.rendering import page

LOG = logging.getLogger("saga.console")

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams that are open."""

    tasks: set[asyncio.Task[object]] = field(default_factory=set)


STREAMS = web.AppKey("streams", Streams)

LIST_INTERVAL = 0.5
SAGA_INTERVAL = 0.4
"""Seconds between two calls to ask again: of the list, and of one saga."""

HEARTBEAT = 10.0
AGAIN = 2.0
"""Seconds until the API is tried again."""

_NOTABLE = 5.0
"""Seconds behind the log from which on people are told."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream: its name and its data."""

    name: str
    data: str


@dataclass
class Calls:
    """Says when to tell a page to ask again: at once after a quiet time, else when the interval is over."""

    interval: float
    now: Callable[[], float] = field(default=time.monotonic)
    waiting: bool = False
    free_at: float = 0.0

    def changed(self) -> None:
        """Something has."""
        self.waiting = True

    def wait(self, longest: float) -> float:
        """Seconds until the next call may be due, `longest` if nothing has changed."""
        return min(longest, max(0.0, self.free_at - self.now())) if self.waiting else longest

    def is_due(self) -> bool:
        """Whether to call now; then that is done."""
        if not self.waiting or self.now() < self.free_at:
            return False
        self.waiting, self.free_at = False, self.now() + self.interval
        return True


async def events_of(lines: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent]:
    """The events in a stream's lines (HTML, server-sent events, 9.2.6); ids and comments are passed over."""
    name: str = ""
    data: list[str] = []
    async for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        key, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if not text:
            if data:
                yield ServerEvent(name or "message", "\n".join(data))
            name, data = "", []
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)


@ROUTES.get("/live")
async def live(request: web.Request) -> web.StreamResponse:
    """The stream of one open page; `saga_id`: of one saga."""
    saga_id = request.query.get("saga_id")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    calls = Calls(LIST_INTERVAL if saga_id is None else SAGA_INTERVAL)
    stream = _Stream(request, response, calls)
    task = asyncio.current_task()
    if task is not None:
        request.app[STREAMS].tasks.add(task)
    try:
        await stream.run(request.app[API], (("saga_id", saga_id),) if saga_id else ())
    except (ConnectionResetError, asyncio.CancelledError):
        return response  # the page is closed, or we stop
    finally:
        if task is not None:
            request.app[STREAMS].tasks.discard(task)
    return response


async def end_streams(app: web.Application) -> None:
    """Streams have no end of their own."""
    for task in list(app[STREAMS].tasks):
        task.cancel()


class _Stream:
    """Passes on what the API tells to one page, for as long as that is open."""

    def __init__(self, request: web.Request, response: web.StreamResponse, calls: Calls) -> None:
        self._request = request
        self._response = response
        self._calls = calls
        self._standing = ""

    async def run(self, api: Api, params: Params) -> None:
        """Until the page is closed; while the API is away, the page is told so and the API asked again."""
        while True:
            try:
                async with api.changes(params) as lines:
                    self._calls.changed()
                    await self._say_standing(behind_s=0.0)
                    await self._pass_on(lines)
                why = "The views have ended the stream."
            except Unanswered as error:
                why = error.problem.detail
            await self._say_standing(away=why)
            await asyncio.sleep(AGAIN)

    async def _pass_on(self, lines: AsyncIterator[bytes]) -> None:
        events: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(lines, events))
            try:
                await self._until_end(events)
            finally:
                reading.cancel()

    async def _until_end(self, events: asyncio.Queue[ServerEvent | None]) -> None:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), self._calls.wait(HEARTBEAT))
            except TimeoutError:
                event = ServerEvent("", "")
            if event is None:
                return
            await self._take(event)

    async def _take(self, event: ServerEvent) -> None:
        match event.name:
            case "behind":
                await self._say_standing(behind_s=Behind.model_validate_json(event.data).behind_s)
            case "":
                pass
            case _:
                self._calls.changed()
        if self._calls.is_due():
            await self._send(ServerEvent("changed", "1"))
        elif not event.name:
            await self._response.write(b": still here\n\n")

    async def _say_standing(self, *, behind_s: float = 0.0, away: str = "") -> None:
        """Tell how live the page is, if that has changed."""
        shown = round(behind_s) if behind_s > _NOTABLE else 0
        text = page(self._request, "parts/standing.html", {"behind_s": shown, "away": away}).text or ""
        if text != self._standing:
            self._standing = text
            await self._send(ServerEvent("standing", text))

    async def _send(self, event: ServerEvent) -> None:
        data = "".join(f"data: {line}\n" for line in event.data.splitlines())
        await self._response.write(f"event: {event.name}\n{data}\n".encode())


async def _read(lines: AsyncIterator[bytes], events: asyncio.Queue[ServerEvent | None]) -> None:
    try:
        async for event in events_of(lines):
            events.put_nowait(event)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        LOG.debug("the stream of changes was cut off: %r", error)
    events.put_nowait(None)
