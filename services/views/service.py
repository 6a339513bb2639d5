"""The views as a process: settings, Kafka, the stream, the HTTP API, health, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import NoReturn

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from schemas.errors import ChoreographyError, UnavailableError
from services.chassis import health
from services.chassis.blobs import BlobStore
from services.chassis.clock import SystemClock
from services.chassis.definitions import Statement, agree
from services.chassis.kafka import KafkaCluster
from services.chassis.paths import saga_home
from services.chassis.patience import until_available
from services.chassis.process import calm_the_collector, cluster_of, load_settings, prepare_topics
from services.chassis.settings import Settings
from services.inspection.groups import KafkaGroups
from services.inspection.loading import readable_definitions
from services.inspection.said import said_by_services
from services.views.answers import Answers
from services.views.api.app import mounted
from services.views.api.sources import Sources
from services.views.feed import Feed
from services.views.gathering import GatheredTables
from services.views.holdings import Holdings
from services.views.metrics import ViewsMetrics
from services.views.peers import Peers, routes
from services.views.position import Positions
from services.views.quiet import quieten
from services.views.settings import ViewsSettings, views_settings
from services.views.stream.app import ViewsApp, Wiring, make_app
from services.views.stream.table import CHANGELOG
from services.views.titles import FirstEvents, following
from topology.model import Saga
from topology.topics import SAGA_STATE, TopicFactory, shared_topics

LOG = logging.getLogger("saga.views")

NAME = "views"
LOOK_EVERY = 0.5
"""Seconds between looks at how this worker is."""

KAFKA_PATIENCE = 4.0
"""Seconds that Kafka gets to answer a question of the API."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What Kafka says before the tables are made of it: the partition count, and how long sagas are shown."""

    partitions: int
    keep: dict[str, int]


def run() -> None:
    """Be a worker until SIGTERM or SIGINT. Exits with 0 after an orderly stop, 1 after an error."""
    settings = load_settings(NAME)
    quieten()
    try:
        own = views_settings()
        definitions = readable_definitions(())
        calm_the_collector()
        asyncio.run(Worker(settings, own, definitions).work())
    except ChoreographyError as error:
        LOG.error("%s", error)
        _exit(1)
    except Exception:
        LOG.exception("stopped by an unexpected error")
        _exit(1)
    _exit(0)


class Worker:
    """One process that is one worker."""

    def __init__(self, settings: Settings, own: ViewsSettings, definitions: Sequence[Saga]) -> None:
        self._settings = settings
        self._own = own
        self._definitions = definitions
        self._stop = asyncio.Event()
        self._health = health.Health(NAME)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    async def work(self) -> None:
        """Work until told to stop. Raises ChoreographyError if something is wrong that a restart does not mend."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        async with AsyncExitStack() as stack:
            await self._serve_health(stack)
            prepared = await asyncio.to_thread(until_available, self._prepare, self._stop.is_set)
            if prepared is not None:
                await self._run(prepared, stack)

    # ---- inside

    def _prepare(self) -> Prepared:
        """Agree with Kafka on topics; everything has as many partitions as `saga.state`."""
        cluster = cluster_of(self._settings)
        make = TopicFactory(self._settings.partitions, self._settings.replication_factor)
        specs = (*shared_topics(make), make.changelog(CHANGELOG))
        partitions = prepare_topics(cluster.admin(), specs, SAGA_STATE)
        return Prepared(partitions, kept_for(agree(cluster, (), SystemClock())))

    async def _run(self, prepared: Prepared, stack: AsyncExitStack) -> None:
        feed, positions = Feed(), Positions()
        holdings = Holdings(prepared.keep, feed.tell)
        server, port = await self._listen()
        url = self._own.url_at(port)
        app = make_app(self._wiring(prepared, url), holdings, positions, lambda: _exit(1))
        answers = Answers(url, prepared.partitions, holdings, positions, app)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        tables = GatheredTables(answers, feed, Peers(session), self._settings.session_timeout)
        self._registry.register(ViewsMetrics(answers, holdings, positions, feed))
        http = mounted(self._sources(tables))
        http.add_routes(routes(answers, feed))
        await self._serve(http, server, stack)
        await stack.enter_async_context(following(holdings.index.titles, self._first_events(), answers))
        LOG.info("the HTTP API is at %s/api/v1, Kafka at %s", url, self._settings.bootstrap_servers)
        await self._stream(app, answers)

    async def _stream(self, app: ViewsApp, answers: Answers) -> None:
        """Run the stream until told to stop, or until it fails."""
        starting = asyncio.ensure_future(app.start())
        try:
            while not self._stop.is_set():
                self._note(app, answers)
                if app.crashed or (starting.done() and starting.exception() is not None):
                    reason = app.crash_reason or starting.exception()
                    raise UnavailableError(f"the stream broke off ({type(reason).__name__}: {reason}): start it again")
                await _pause(self._stop, LOOK_EVERY)
            LOG.info("stopping")
            await asyncio.wait_for(app.stop(), self._settings.drain_timeout)
        except TimeoutError:
            LOG.warning("not everything was committed in time: it is folded once more at the next start, to no effect")
        finally:
            starting.cancel()

    def _note(self, app: ViewsApp, answers: Answers) -> None:
        """Say how it is, for `/readyz`."""
        self._health.turned_at = self._health.now()
        self._health.reasons = why_not_ready(app, answers)

    def _wiring(self, prepared: Prepared, url: str) -> Wiring:
        folder = saga_home() / NAME  # Faust wants one, and keeps nothing in it
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Wiring(self._settings.kafka_properties, url, prepared.partitions, folder, self._settings.session_timeout)

    def _first_events(self) -> FirstEvents:
        """They are followed for ever, so the broker may hold an empty fetch back for longer than is usual here."""
        properties = {**self._settings.kafka_properties, "fetch.wait.max.ms": 500}
        return FirstEvents(lambda: KafkaCluster(properties), self._definitions)

    def _sources(self, tables: GatheredTables) -> Sources:
        settings = self._settings
        return Sources(
            tables,
            lambda: cluster_of(settings),
            lambda: KafkaGroups(settings.kafka_properties, KAFKA_PATIENCE),
            BlobStore(settings.blob_url),
            self._definitions,
            self._own.api_token,
            settings.bootstrap_servers,
            lambda: said_by_services(settings.bootstrap_servers),
        )

    async def _serve_health(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        if settings.http_port is not None:
            runner = await health.serve(self._health, self._registry, settings.http_host, settings.http_port)
            stack.push_async_callback(runner.cleanup)

    async def _serve(self, http: web.Application, server: socket.socket, stack: AsyncExitStack) -> None:
        runner = web.AppRunner(http, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, server).start()

    async def _listen(self) -> tuple[socket.socket, int]:
        """The socket of the API; its port may be any that is free. Raises UnavailableError if it cannot be had."""
        host, port = self._own.views_host, self._own.views_port
        try:
            server = await asyncio.to_thread(socket.create_server, (host, port), reuse_port=False)
        except OSError as error:
            raise UnavailableError(
                f"{host}:{port} cannot be had for the HTTP API ({error.strerror or error}): set SAGA_VIEWS_PORT to a "
                "free port"
            ) from None
        return server, server.getsockname()[1]

    def _on_signal(self, number: int) -> None:
        """The first signal asks to stop, the second insists."""
        if self._stop.is_set():
            _exit(128 + number)
        self._stop.set()


def kept_for(statements: Sequence[Statement]) -> dict[str, int]:
    """For how long finished sagas are shown, milliseconds by definition; of several versions the longest."""
    keep: dict[str, int] = {}
    for said in statements:
        seconds = said.definition.get("keep_finished")
        if isinstance(seconds, int | float):
            keep[said.name] = max(keep.get(said.name, 0), round(seconds * 1000))
    return keep


def why_not_ready(app: ViewsApp, answers: Answers) -> tuple[str, ...]:
    """What keeps this worker from answering for its partitions, and what it leaves out."""
    ours = {number for number, url in app.owners.items() if url == answers.url}
    if not app.owners:
        return ("no partitions yet: the workers are sharing them out",)
    waiting = sorted(ours - answers.ready)
    return tuple(f"partition {number} waits: its table is being restored" for number in waiting)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _exit(code: int) -> NoReturn:
    """End at once: threads of the stream have nothing left to say, and must not commit anything any more."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
