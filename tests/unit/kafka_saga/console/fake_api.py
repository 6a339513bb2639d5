"""A small API that serves canned answers, and remembers what it was asked: for tests of pages alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

from kafka_saga.api.commands import Accepted, CommandRequest, DryRun, RefusedSaga
from kafka_saga.api.incidents import Redriven
from kafka_saga.api.problems import PROBLEM_JSON, Problem, ProblemType
from tests.unit.kafka_saga.console import samples


@dataclass
class FakeApi:
    """What it was asked, and what it is to say."""

    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    commands: list[tuple[CommandRequest, str, str]] = field(default_factory=list)
    redriven: list[dict[str, object]] = field(default_factory=list)
    problem: Problem | None = None
    streams: list[asyncio.Queue[str]] = field(default_factory=list)
    answers: dict[str, BaseModel] = field(default_factory=dict)

    def say(self, event: str, data: object) -> None:
        """Tell every open stream."""
        for stream in self.streams:
            stream.put_nowait(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    def app(self) -> web.Application:
        """It, as an application."""
        app = web.Application()
        app.add_routes([
            web.get("/api/v1/changes", self._changes),
            web.post("/api/v1/commands", self._command),
            web.post("/api/v1/dead-letters/{partition}/{offset}/redrive", self._redrive),
            web.get("/api/v1/{path:.*}", self._get),
        ])  # fmt: skip
        return app

    async def _get(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.asked.append((path, {name: request.query.getall(name) for name in request.query}))
        if self.problem is not None:
            return _problem(self.problem)
        return self._answer(path, request)

    def _answer(self, path: str, request: web.Request) -> web.Response:
        if path in self.answers:
            return _json(self.answers[path])
        match path.split("/"):
            case ["sagas"]:
                return _json(_chosen(request.query.getall("status", [])))
            case ["sagas", *_, "why"]:
                return _json(samples.why())
            case ["sagas", *_, "events"]:
                return _json(samples.events())
            case ["sagas", *_, "review"]:
                return _json(samples.review())
            case ["sagas", *parts] if any(one.saga_id == "/".join(parts) for one in samples.SUMMARIES):
                return _json(samples.details("/".join(parts)))
            case [name] if name in _PLAIN:
                return _json(_PLAIN[name]())
        return _problem(_not_found(path))

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        if self.problem is not None:
            return _problem(self.problem)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": here\n\n")
        stream: asyncio.Queue[str] = asyncio.Queue()
        self.streams.append(stream)
        try:
            while True:
                await response.write((await stream.get()).encode())
        finally:
            self.streams.remove(stream)

    async def _command(self, request: web.Request) -> web.Response:
        wish = CommandRequest.model_validate_json(await request.read())
        self.commands.append(
            (wish, request.headers.get("Idempotency-Key", ""), request.headers.get("Authorization", ""))
        )
        if self.problem is not None:
            return _problem(self.problem)
        ids = wish.saga_ids or tuple(one.saga_id for one in samples.SUMMARIES[:2])
        if wish.dry_run:
            refused = (RefusedSaga(saga_id=samples.SUMMARIES[3].saga_id, why="it has ended"),)
            return _json(DryRun(sagas=len(ids), saga_ids=ids, refused=refused))
        return _json(Accepted(command_id="c1", command_ids=("c1",), sagas=len(ids), saga_ids=ids), 202)

    async def _redrive(self, request: web.Request) -> web.Response:
        self.redriven.append(json.loads(await request.read()) | dict(request.match_info))
        return _json(Redriven(id="dead.letters/1/3", topic="pr.received", partition=2))


_PLAIN: dict[str, Callable[[], BaseModel]] = {
    "figures": samples.figures_report,
    "incidents": samples.incidents,
    "dead-letters": samples.letters,
    "topology": samples.topology,
    "health": samples.health,
}


def _chosen(statuses: list[str]) -> BaseModel:
    found = samples.saga_page()
    items = tuple(one for one in found.items if not statuses or one.status in statuses)
    return found.model_copy(update={"items": items})


def _not_found(path: str) -> Problem:
    return Problem(type=ProblemType.NOT_FOUND.urn, title="No such saga", status=404,
                   detail="No saga of that id is known: look at `saga ls`.", instance=f"/{path}")  # fmt: skip


def _json(value: BaseModel, status: int = 200) -> web.Response:
    return web.Response(text=value.model_dump_json(), content_type="application/json", status=status)


def _problem(problem: Problem) -> web.Response:
    return web.Response(text=problem.model_dump_json(), content_type=PROBLEM_JSON, status=problem.status)
