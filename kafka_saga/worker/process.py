"""A service as a process: where settings, Kafka, threads and signals are put together."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn, Protocol

from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from kafka_saga.broker.clock import SystemClock
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.port import Admin, Cluster
from kafka_saga.broker.retry import until_available
from kafka_saga.broker.watermarks import Watermarks
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicFactory, TopicSpec, state_topic, topics_of
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch
from kafka_saga.errors import ChoreographyError, TopologyError
from kafka_saga.execution.executor import ThreadedExecutor
from kafka_saga.observability.health import Health
from kafka_saga.observability.lag import Lag
from kafka_saga.observability.logs import log_to_stderr
from kafka_saga.observability.metrics import Metrics
from kafka_saga.observability.observer import Journal, Observer, Rebalance
from kafka_saga.observability.tracing import Tracing, tracing_to
from kafka_saga.observability.tracing.exporters import exporter_of
from kafka_saga.steps.announcements import Announcement, announce
from kafka_saga.steps.definition_registry import Statement, agree
from kafka_saga.worker.settings import Settings
from kafka_saga.worker.worker import Identity, Worker

LOG = logging.getLogger("saga.process")

RolesFor = Callable[[int, Sequence[Statement]], Roles]
"""Makes a service's roles for so many partitions, where these definitions are known."""

Agreed = tuple[int, Sequence[Statement]]
"""The partition count, and what is known of definitions."""

IDLE = 0.5
"""Seconds that an idle loop waits for a record; signals are looked at in between."""


class Runnable(Protocol):
    """A service as its process needs it: its name, the sagas of its steps, and what it does with records."""

    name: str
    stateful: bool

    @property
    def sagas(self) -> Sequence[Saga]:
        """The definitions of its steps, at least one."""

    @property
    def announcement(self) -> Announcement:
        """What it says of itself on the log."""

    def roles(self, partitions: int, known: Sequence[Statement], /) -> Roles:
        """What a worker asks of it, in topics of so many partitions, where these definitions are known."""


def run_service(service: Runnable) -> None:
    """Be `service` until SIGTERM or SIGINT. Exits with 0 after an orderly stop, 1 after an error."""
    settings = load_settings(service.name)
    process = Process(service.name, settings, service.sagas, service.announcement)
    make = TopicFactory(settings.partitions, settings.replication_factor)
    own = (make.changelog(state_topic(service.name)),) if service.stateful else ()
    process.run(service.roles, (*topics_of(service.sagas, make), *own), service.sagas[0].starts_on.event_type)


def load_settings(service: str) -> Settings:
    """The settings from the environment; a wrong one ends the process with a sentence that names it."""
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"SAGA_{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors())
        sys.exit(f"{service}: wrong settings: {problems}")
    log_to_stderr(service, settings.log_level)
    return settings


class Process:
    """One operating system process that is one worker, for these definitions; `announcement` is said on the log."""

    def __init__(
        self, name: str, settings: Settings, sagas: Sequence[Saga], announcement: Announcement | None = None
    ) -> None:
        self._name = name
        self._settings = settings
        self._sagas = tuple(sagas)
        self._announcement = announcement
        self._stop = False
        self._health = Health(name)
        self._metrics = Metrics(name)
        self._observers: list[Observer] = [self._metrics, Journal()]
        self._lag: Lag | None = None
        self._tracing: Tracing | None = None

    @property
    def registry(self) -> CollectorRegistry:
        """What `/metrics` shows."""
        return self._metrics.registry

    def tell(self, observer: Observer) -> None:
        """Have one more told what the worker tells."""
        self._observers.append(observer)

    def run(self, roles_for: RolesFor, specs: Sequence[TopicSpec], counted: str) -> None:
        """Work until told to stop, then exit. `counted` is the topic whose partition count the others must have."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        code = self._result(roles_for, specs, counted)
        if self._tracing is not None:
            self._tracing.close()
        _exit(code)

    # ---- what the worker tells

    def committed(self, batch: Batch, seconds: float) -> None:
        """A batch is on the log."""
        for observer in self._observers:
            observer.committed(batch, seconds)

    def aborted(self, *, in_doubt: bool) -> None:
        """A transaction is not on the log, or perhaps not."""
        for observer in self._observers:
            observer.aborted(in_doubt=in_doubt)

    def rebalanced(self, how: Rebalance) -> None:
        """Partitions have come or gone."""
        for observer in self._observers:
            observer.rebalanced(how)

    def restored(self, seconds: float) -> None:
        """Everything assigned runs."""
        for observer in self._observers:
            observer.restored(seconds)

    def turned(self, runner: Runner) -> None:
        """The loop has gone round."""
        for observer in self._observers:
            observer.turned(runner)
        self._health.note(runner)
        if self._lag is not None:
            self._lag.turned()

    # ---- inside

    def _result(self, roles_for: RolesFor, specs: Sequence[TopicSpec], counted: str) -> int:
        """Work until told to stop; the exit code."""
        try:
            self._work(roles_for, specs, counted)
        except ChoreographyError as error:
            LOG.error("%s", error)
            return 1
        except Exception:
            LOG.exception("stopped by an unexpected error")
            return 1
        return 0

    def _work(self, roles_for: RolesFor, specs: Sequence[TopicSpec], counted: str) -> None:
        calm_the_collector()
        cluster = cluster_of(self._settings)
        executor = ThreadedExecutor(self._settings.heavy_processes)
        self._serve(executor, self.registry)
        self._tracing = tracing_to(exporter_of(self._settings.tracing, os.environ), self._name)
        agreed = self._prepare(cluster, specs, counted)
        if agreed is not None:
            worker = self._worker(cluster, roles_for(*agreed), executor)
            self._measure_lag(cluster, worker)
            self._loop(worker)
        executor.close()

    def _loop(self, worker: Worker) -> None:
        LOG.info("working on Kafka at %s", self._settings.bootstrap_servers)
        while not self._stop:
            worker.turn(IDLE)
        LOG.info("stopping: running handlers get %g s", self._settings.drain_timeout)
        worker.drain(self._settings.drain_timeout)
        worker.close()

    def _worker(self, cluster: Cluster, roles: Roles, executor: ThreadedExecutor) -> Worker:
        blobs = BlobStore(self._settings.blob_url)
        return Worker(
            cluster,
            self._identity(),
            roles,
            executor,
            SystemClock(),
            blobs,
            self,
            self._settings.max_in_flight,
            self._settings.progress_interval,
            self._tracing,
        )

    def _measure_lag(self, cluster: Cluster, worker: Worker) -> None:
        ends = Watermarks(cluster, SystemClock(), LOG)
        self._lag = Lag(self._name, worker.standing, lambda places: ends.ask(places, "the lag is not known"))
        self.registry.register(self._lag)

    def _identity(self) -> Identity:
        slot = self._settings.instance or uuid.uuid4().hex
        return Identity(self._name, f"{self._name}-{slot}", self._settings.instance)

    def _prepare(self, cluster: Cluster, specs: Sequence[TopicSpec], counted: str) -> Agreed | None:
        """Agree with Kafka, once it is there, on topics and definitions; none if told to stop meanwhile."""
        return until_available(lambda: self._agreed(cluster, specs, counted), lambda: self._stop, self._waits)

    def _waits(self, reason: str) -> None:
        self._health.reasons = (reason,)

    def _agreed(self, cluster: Cluster, specs: Sequence[TopicSpec], counted: str) -> Agreed:
        partitions = prepare_topics(cluster.admin(), specs, counted)
        known = agree(cluster, self._sagas, SystemClock())
        if self._announcement is not None:
            announce(cluster, self._announcement, SystemClock())
        return partitions, known

    def _serve(self, executor: ThreadedExecutor, registry: CollectorRegistry) -> None:
        settings = self._settings
        if settings.http_port is not None:
            from kafka_saga.observability.health_server import serve  # noqa: PLC0415  # costs 15 MB, not all have a port

            executor.submit(serve(self._health, registry, settings.http_host, settings.http_port))

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        """The first signal asks to stop, the second insists."""
        if self._stop:
            _exit(128 + number)
        self._stop = True


def cluster_of(settings: Settings) -> KafkaCluster:
    """The Kafka that the settings name."""
    return KafkaCluster(
        settings.kafka_properties,
        session_timeout=settings.session_timeout,
        transaction_timeout=settings.transaction_timeout,
    )


def prepare_topics(admin: Admin, specs: Sequence[TopicSpec], counted: str) -> int:
    """Create what is missing and check the rest; the common partition count.

    An existing topic `counted` decides the count, whatever the settings say of new ones. Raises TopologyError naming
    every topic that does not fit.
    """
    existing = admin.partitions([spec.name for spec in specs])
    beside = counted if counted in existing else next(iter(existing), None)
    wanted = existing[beside] if beside else specs[0].partitions
    fitted = [TopicSpec(spec.name, wanted, spec.replication_factor, spec.config) for spec in specs]
    if created := admin.create_missing(fitted):
        LOG.info("created topics %s with %d partitions", ", ".join(created), wanted)
    if problems := admin.differences(fitted, beside):
        raise TopologyError("; ".join(problems))
    return wanted


def calm_the_collector() -> None:
    """Records live until their commit, so each of the collector's passes would walk them all for nothing.

    Measured: 20 % of a step's processor time, 17 % of the tracker's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _exit(code: int) -> NoReturn:
    """End at once: threads of handlers and of librdkafka have nothing left to say."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)
