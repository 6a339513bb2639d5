"""`saga up` without its looks: Kafka, the topics, and every service under one supervisor, until told to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from kafka_saga.app import App, current_app
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.errors import TopologyError
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.places import console_url, places
from kafka_saga.local.processes import sight
from kafka_saga.local.record import live_record, record_path
from kafka_saga.local.service_process import Program
from kafka_saga.local.supervisor import Supervisor
from kafka_saga.local.up_record import UpRecord, logs_folder, remove_up, the_only_one, write_up
from kafka_saga.worker.process import prepare_topics
from kafka_saga.worker.settings import passed_through

_TURN = 0.1


@dataclass(frozen=True, slots=True)
class _Kafka:
    """Where Kafka is, and whether we have started it."""

    bootstrap: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class UpPlan:
    """What to bring up. `bootstrap`: the Kafka to use, none for the embedded one, which `fresh` empties first."""

    home: Path
    bootstrap: str | None = None
    partitions: int = 4
    fresh: bool = False
    port: int | None = None


@dataclass
class Stopping:
    """Turns SIGINT, SIGTERM and SIGHUP into a KeyboardInterrupt once; the second one insists."""

    count: int = 0

    @contextmanager
    def heeded(self) -> Iterator[Stopping]:
        """Heed signals inside."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def insists(self) -> bool:
        """Whether we were told twice."""
        return self.count > 1

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            raise KeyboardInterrupt


def bring_up(plan: UpPlan, say: Callable[[str], None], watch: Callable[[UpRecord], None]) -> None:
    """Run everything until SIGINT or SIGTERM; `watch` sees how it is whenever that has changed.

    What runs is the application's. Raises UnavailableError or TopologyError if it cannot be started.
    """
    app = _with_services(current_app())
    with (
        Stopping().heeded() as stopping,
        the_only_one(plan.home),
        suppress(KeyboardInterrupt),
        _kafka(plan, say) as kafka,
    ):
        _ensure_topics(app, kafka.bootstrap, plan.partitions, say)
        _supervise(app, plan, kafka, stopping, say, watch)


@contextmanager
def _kafka(plan: UpPlan, say: Callable[[str], None]) -> Iterator[_Kafka]:
    if plan.bootstrap is not None:
        yield _Kafka(plan.bootstrap, is_ours=False)
        return
    kafka = EmbeddedKafka(plan.home, port=plan.port, say=say)
    say("Starting Kafka")
    started = kafka.start(fresh=plan.fresh)
    why = f", since {started.why_port}" if started.why_port else ""
    say(f"Kafka {started.running.version} {'already runs' if started.already else 'runs'} at {kafka.bootstrap}{why}")
    try:
        yield _Kafka(kafka.bootstrap, is_ours=not started.already)
    finally:
        if not started.already:
            say("Stopping Kafka; its records are kept")
            kafka.stop()


def _ensure_topics(app: App, bootstrap: str, partitions: int, say: Callable[[str], None]) -> None:
    """Create what is missing before all services try at once."""
    admin = KafkaCluster({"bootstrap.servers": bootstrap, **passed_through(os.environ)}).admin()
    specs = topics_of(app.definitions, TopicFactory(partitions))
    count = prepare_topics(admin, specs, app.definitions[0].starts_on.event_type)
    if count != partitions:
        say(f"The topics were there, with {count} partitions; that count stays")


def _supervise(
    app: App,
    plan: UpPlan,
    kafka: _Kafka,
    stopping: Stopping,
    say: Callable[[str], None],
    watch: Callable[[UpRecord], None],
) -> None:
    environment = _environment(plan, kafka.bootstrap)
    supervisor = Supervisor(programs(app), environment, logs_folder(plan.home), say, insists=lambda: stopping.insists)
    blank = _record(kafka.bootstrap, console_url(environment), has_own_kafka=kafka.is_ours)
    noted: UpRecord | None = None
    try:
        supervisor.start()
        while True:
            supervisor.turn()
            _revive(plan, kafka, say)
            now = blank.model_copy(update={"services": supervisor.seen()})
            if now != noted:
                write_up(plan.home, noted := now)
                watch(now)
            threading.Event().wait(_TURN)
    finally:
        say("Stopping the services")
        supervisor.stop()
        remove_up(plan.home)


def _revive(plan: UpPlan, kafka: _Kafka, say: Callable[[str], None]) -> None:
    """The Kafka that we have started is looked after as the services are."""
    if kafka.is_ours and live_record(record_path(plan.home)) is None:
        say("Kafka has ended; it is started again, with its records")
        EmbeddedKafka(plan.home, port=int(kafka.bootstrap.rpartition(":")[2]), say=say).start()


def programs(app: App) -> tuple[Program, ...]:
    """Every service as the program that it is. Nothing is imported from the directory that a command runs in (`-P`)."""
    return tuple(Program(name, (sys.executable, "-P", "-m", *said.split())) for name, said in app.services.items())


def _with_services(app: App) -> App:
    if not app.definitions or not app.services:
        raise TopologyError(
            "there is nothing to start: name the application whose services these are, with "
            "`saga --app module:ATTRIBUTE up` or SAGA_APP."
        )
    return app


def _environment(plan: UpPlan, bootstrap: str) -> dict[str, str]:
    own = {
        "SAGA_BOOTSTRAP_SERVERS": bootstrap,
        "SAGA_PARTITIONS": str(plan.partitions),
        "SAGA_HOME": str(plan.home),
    }
    return {**os.environ, **places(plan.home, os.environ), **own}


def _record(bootstrap: str, console: str, *, has_own_kafka: bool) -> UpRecord:
    seen = sight(os.getpid())
    return UpRecord(
        pid=os.getpid(),
        mark=seen.mark if seen else "",
        since=datetime.now(UTC),
        bootstrap=bootstrap,
        has_own_kafka=has_own_kafka,
        console=console,
    )
