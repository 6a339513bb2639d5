"""What changes, as server-sent events: sagas as they are by now, how far behind that is, and a heartbeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

from kafka_saga.api import health
from kafka_saga.api.health import Behind, ChangeEvent, Gap
from kafka_saga.api.problems import Problem
from kafka_saga.api.sagas import SagaSummary
from kafka_saga.inspection.present.facts import summary_of
from kafka_saga.views.http_api.coalescing import Coalescer
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.params import ChangesParams
from kafka_saga.views.http_api.problems import problem_of
from kafka_saga.views.http_api.routes import Call
from kafka_saga.views.port import Change, Changed, Gone, Lagging, Missed

HEARTBEAT = 10.0
"""Seconds after which something is sent, so that both sides notice when the other is gone."""

EVENTS: Mapping[str, type[BaseModel]] = {
    ChangeEvent.SAGA: SagaSummary,
    ChangeEvent.GONE: health.Gone,
    ChangeEvent.BEHIND: Behind,
    ChangeEvent.GAP: Gap,
    ChangeEvent.PROBLEM: Problem,
}
"""What the data of each event is."""


@dataclass
class Streams:
    """The streams that are open."""

    tasks: set[asyncio.Task[object]] = field(default_factory=set)


STREAMS = web.AppKey("streams", Streams)


@dataclass
class _Inbox:
    """What has come from the tables and was not sent yet; `failed` is why nothing more will come."""

    coalescer: Coalescer = field(default_factory=Coalescer)
    others: list[tuple[ChangeEvent, BaseModel]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failed: Exception | None = None

    def take(self, change: Change) -> None:
        """Sort a change in."""
        match change:
            case Changed(state=state):
                self.coalescer.put(state)
            case Gone(saga_id=saga_id):
                self.coalescer.drop(saga_id)
                self.others.append((ChangeEvent.GONE, health.Gone(saga_id=saga_id)))
            case Lagging(behind_s=behind_s):
                self.others = [one for one in self.others if one[0] is not ChangeEvent.BEHIND]
                self.others.append((ChangeEvent.BEHIND, Behind(behind_s=behind_s)))
            case Missed():
                self.others.append((ChangeEvent.GAP, Gap(sagas=0)))
        self.news.set()

    async def fill(self, changes: AsyncIterator[Change]) -> None:
        """Take everything in, until the tables can say no more."""
        try:
            async for change in changes:
                self.take(change)
        except Exception as error:  # told to the client, who asks again
            self.failed = error
        self.news.set()


async def changes(api: Dependencies, call: Call) -> web.StreamResponse:
    """Tell what changes, until the client or this process goes."""
    inbox = _Inbox()
    source = api.tables.changes(call.asked(ChangesParams).saga_id)
    filling = asyncio.create_task(inbox.fill(source))
    await asyncio.sleep(0)  # so that it listens before the client is told that it can ask for the list
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    task = asyncio.current_task()
    tasks = call.request.config_dict[STREAMS].tasks
    if task is not None:
        tasks.add(task)
    try:
        await response.prepare(call.request)
        await response.write(b"retry: 1000\n: listening\n\n")
        await _tell(api, call, inbox, response)
    except (ConnectionResetError, asyncio.CancelledError):
        pass  # the client is gone, or we are going
    finally:
        if task is not None:
            tasks.discard(task)
        filling.cancel()
        with suppress(asyncio.CancelledError):
            await filling
    return response


async def stop_streams(app: web.Application) -> None:
    """End all streams, so that the server need not wait for its clients."""
    for task in tuple(app[STREAMS].tasks):
        task.cancel()


async def _tell(api: Dependencies, call: Call, inbox: _Inbox, response: web.StreamResponse) -> None:
    while True:
        await _wait(inbox)
        lines = b"".join(_pending(api, inbox))
        await response.write(lines or b": still here\n\n")
        if inbox.failed is not None:
            await response.write(_event(ChangeEvent.PROBLEM, problem_of(call.request.path, inbox.failed)))
            return


async def _wait(inbox: _Inbox) -> None:
    """Until there is something to send, or it is time for a heartbeat."""
    until = time.monotonic() + HEARTBEAT
    while (now := time.monotonic()) < until:
        ready_at = inbox.coalescer.next_at()
        if inbox.others or inbox.failed or inbox.coalescer.lost or (ready_at is not None and ready_at <= now):
            return
        inbox.news.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(inbox.news.wait(), min(until, ready_at or until) - now)


def _pending(api: Dependencies, inbox: _Inbox) -> Iterator[bytes]:
    if lost := inbox.coalescer.take_lost():
        yield _event(ChangeEvent.GAP, Gap(sagas=lost))
    for state in inbox.coalescer.take(time.monotonic()):
        title = api.titles.known(state.saga_id)
        yield _event(ChangeEvent.SAGA, summary_of(state, api.clock()).model_copy(update={"title": title}))
    others, inbox.others = inbox.others, []
    for name, value in others:
        yield _event(name, value)


def _event(name: ChangeEvent, value: BaseModel) -> bytes:
    """One event (WHATWG HTML, 9.2.5); JSON holds no line ends of its own."""
    text = value.model_dump_json()
    return f"event: {name.value}\ndata: {text}\n\n".encode(errors="replace")
