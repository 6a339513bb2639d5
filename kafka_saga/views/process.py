"""The views as a process: settings, Kafka, the stream, the HTTP API, health, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector

from kafka_saga.app import App, resolve
from kafka_saga.broker.clock import SystemClock
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.retry import until_available
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STATE, TopicFactory, shared_topics
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.errors import ChoreographyError, UnavailableError
from kafka_saga.inspection.log.clients import Clients
from kafka_saga.inspection.log.deployed import Deployments
from kafka_saga.inspection.log.groups import KafkaGroups
from kafka_saga.inspection.log.loading import named_definitions
from kafka_saga.local.up_record import said_by_services
from kafka_saga.observability.health import Health
from kafka_saga.observability.health_server import serve
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.steps.definition_registry import Statement, agree
from kafka_saga.views.answers import Answers
from kafka_saga.views.expiry import follow, kept_for
from kafka_saga.views.feed import Feed
from kafka_saga.views.http_api.app import mounted
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.routes import Route
from kafka_saga.views.identity import introducing
from kafka_saga.views.membership import Membership, settled
from kafka_saga.views.metrics import ViewsMetrics
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.peers import routes
from kafka_saga.views.position import Positions
from kafka_saga.views.quiet import quieten
from kafka_saga.views.readiness import why_ended, why_not_ready
from kafka_saga.views.scatter_gather import GatheredTables
from kafka_saga.views.settings import ViewsSettings, views_settings
from kafka_saga.views.stream.app import ViewsApp, Wiring, make_app
from kafka_saga.views.stream.stall_watchdog import StallWatchdog, asking, marks_of, patience
from kafka_saga.views.stream.table import CHANGELOG
from kafka_saga.views.titles import FirstEvents, following
from kafka_saga.worker.process import calm_the_collector, cluster_of, load_settings, prepare_topics
from kafka_saga.worker.settings import Settings

LOG = logging.getLogger("saga.views")

NAME = "views"
LOOK_EVERY = 0.5
"""Seconds between looks at how this worker is."""

KAFKA_PATIENCE = 4.0
"""Seconds that Kafka gets to answer a question of the API."""

GRACE = 5.0
"""Seconds that the process gets to close everything after the time in which the stream drains."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What Kafka says before the tables are made of it: the partition count, and how long sagas are shown."""

    partitions: int
    keep: dict[str, int]


def run(app: App) -> None:
    """Be a worker for an application until SIGTERM or SIGINT. Exits with 0 after an orderly stop, 1 after an error."""
    settings = load_settings(NAME)
    quieten()
    try:
        own = views_settings()
        definitions = named_definitions()
        calm_the_collector()
        more = tuple(route for name in app.api for route in resolve(name))
        asyncio.run(ViewsWorker(settings, own, definitions, more).work())
    except ChoreographyError as error:
        LOG.error("%s", error)
        _exit(1)
    except Exception:
        LOG.exception("stopped by an unexpected error")
        _exit(1)


class ViewsWorker:
    """One process that is one worker."""

    def __init__(
        self, settings: Settings, own: ViewsSettings, definitions: Sequence[Saga], more: Sequence[Route] = ()
    ) -> None:
        self._settings = settings
        self._own = own
        self._definitions = definitions
        self._deployments = Deployments()
        self._more = more
        self._stop = asyncio.Event()
        self._clients = Clients(lambda: cluster_of(settings), self._groups)
        self._health = Health(NAME, reasons=("this worker has just started, and has not heard from Kafka yet",))
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    async def work(self) -> NoReturn:
        """Work until told to stop, or until an error that a restart may mend; then end the process."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        async with AsyncExitStack() as stack:
            if not await self._has_worked(stack):
                _exit(1)  # closing what is open may wait for Kafka, or for a stream that does not know it has ended
        _exit(0)

    # ---- inside

    async def _has_worked(self, stack: AsyncExitStack) -> bool:
        """Work; whether it was without an error."""
        try:
            await self._serve_health(stack)
            requests = Requests(NAME, self._registry)
            place = await settled(self._own, lambda: "; ".join(self._health.reasons), self._kafka, requests, stack)
            attempts = asyncio.to_thread(until_available, self._attempt, self._stop.is_set, self._waits)
            prepared = await self._until(attempts, place.address.watch())
            if prepared is not None:
                await self._run(prepared, place, stack)
        except ChoreographyError as error:
            LOG.error("%s", error)
        except Exception:
            LOG.exception("stopped by an unexpected error")
        else:
            return True
        return False

    def _attempt(self) -> Prepared:
        """Agree with Kafka on topics; everything has as many partitions as `saga.state`."""
        make = TopicFactory(self._settings.partitions, self._settings.replication_factor)
        specs = (*shared_topics(make), make.changelog(CHANGELOG))
        partitions = self._asked(lambda: prepare_topics(self._clients.admin(), specs, SAGA_STATE))
        return Prepared(partitions, kept_for(self._deployed()))

    def _waits(self, reason: str) -> None:
        self._health.reasons = (f"the tables wait for Kafka: {reason}",)

    def _deployed(self) -> Sequence[Statement]:
        """What is known of definitions; the API's answers go by it, too."""
        self._asked(lambda: self._deployments.look(self._clients))
        return self._asked(lambda: agree(self._clients, (), SystemClock()))

    def _asked(self, ask: Callable[[], T]) -> T:
        """What is asked of Kafka; a client that it did not answer may know the cluster as it was, and is replaced."""
        try:
            return ask()
        except UnavailableError:
            self._clients.renew()
            raise

    async def _run(self, prepared: Prepared, place: Membership, stack: AsyncExitStack) -> None:
        feed, positions = Feed(), Positions()
        holdings = PartitionTables(prepared.keep, feed.tell)
        wiring = self._wiring(prepared, place.url)
        app = make_app(wiring, holdings, positions, lambda: _exit(1))
        answers = Answers(place.url, prepared.partitions, holdings, positions, app, also=place.address.complaints)
        tables = GatheredTables(answers, feed, place.peers, self._settings.session_timeout)
        self._registry.register(ViewsMetrics(answers, holdings, positions, feed))
        http = mounted(self._sources(tables), self._more)
        http.add_routes([introducing(place.me), *routes(answers, feed)])
        await place.door.open_to(http)
        await stack.enter_async_context(following(holdings.index.titles, self._first_events(), answers))
        LOG.info("the HTTP API is at %s/api/v1, Kafka at %s", place.url, self._kafka)
        vigil = StallWatchdog(lambda: marks_of(app), asking(wiring.kafka, app), patience(wiring.session_timeout))
        await self._stream(app, answers, vigil.watch(), place.address.watch(), follow(self._deployed, holdings))

    async def _stream(self, app: ViewsApp, answers: Answers, *watches: Coroutine[Any, Any, None]) -> None:
        """Run the stream until told to stop, or until it fails, or one that watches finds that something is wrong."""
        await self._until(self._follow(app, answers), *watches)
        LOG.info("stopping")
        stopping = asyncio.ensure_future(app.stop())
        await asyncio.wait({stopping}, timeout=self._settings.drain_timeout)
        if not stopping.done() or stopping.exception() is not None:
            LOG.warning("not everything was committed in time: it is folded once more at the next start, to no effect")

    async def _follow(self, app: ViewsApp, answers: Answers) -> NoReturn:
        """Start the stream, and say how it is, for `/readyz`. Raises UnavailableError when it ends."""
        starting = asyncio.ensure_future(app.start())
        while True:
            self._health.turned_at = self._health.now()
            self._health.reasons = why_not_ready(app, answers)
            if (why := why_ended(app, starting)) is not None:
                raise UnavailableError(f"the stream broke off ({why}): start it again")
            await asyncio.sleep(LOOK_EVERY)

    async def _until(self, work: Coroutine[Any, Any, T], *watches: Coroutine[Any, Any, None]) -> T | None:
        """What `work` returns; none if told to stop before. Raises what one of them raises."""
        working = asyncio.ensure_future(work)
        tasks = [working, *map(asyncio.ensure_future, (self._stop.wait(), *watches))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return working.result() if working.done() else None
        finally:
            for task in tasks:
                task.cancel()

    @property
    def _kafka(self) -> str:
        return self._settings.bootstrap_servers

    def _groups(self) -> KafkaGroups:
        return KafkaGroups(self._settings.kafka_properties, KAFKA_PATIENCE)

    def _wiring(self, prepared: Prepared, url: str) -> Wiring:
        return Wiring(self._settings.kafka_properties, url, prepared.partitions, self._settings.session_timeout)

    def _first_events(self) -> FirstEvents:
        """They are followed for ever, so the broker may hold an empty fetch back for longer than is usual here."""
        properties = {**self._settings.kafka_properties, "fetch.wait.max.ms": 500}
        return FirstEvents(lambda: KafkaCluster(properties), self._definitions)

    def _sources(self, tables: GatheredTables) -> Dependencies:
        settings = self._settings
        return Dependencies(
            tables,
            lambda: cluster_of(settings),
            self._groups,
            BlobStore(settings.blob_url),
            self._definitions,
            self._own.api_token,
            self._kafka,
            lambda: said_by_services(self._kafka),
            deployments=self._deployments,
        )

    async def _serve_health(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        if settings.http_port is not None:
            runner = await serve(self._health, self._registry, settings.http_host, settings.http_port)
            stack.push_async_callback(runner.cleanup)

    def _on_signal(self, number: int) -> None:
        """The first signal asks to stop, the second insists; what does not end in time is left behind."""
        if self._stop.is_set():
            _exit(128 + number)
        self._stop.set()
        end = threading.Timer(self._settings.drain_timeout + GRACE, _exit, (0,))
        end.daemon = True
        end.start()


def _exit(code: int) -> NoReturn:
    """End at once: threads of the stream have nothing left to say, and must not commit anything any more."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
