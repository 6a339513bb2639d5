"""The embedded Kafka: started, found again, stopped, and for chaos tests killed, paused and restarted.

As a child of a test or of `saga up` it dies with its parent (on Linux even when that is killed; elsewhere the parent
must get to its `stop`), detached it outlives the command that started it:

    with EmbeddedKafka(home=folder, port=0) as kafka:      # attached, any free port
        Producer({"bootstrap.servers": kafka.bootstrap})

    EmbeddedKafka(detached=True).start()                   # what `saga kafka start` does
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka_saga.errors import UnavailableError
from kafka_saga.local.configuration import Listeners, jvm_command, render, server_properties
from kafka_saga.local.distribution import Distribution, kafka_distribution
from kafka_saga.local.files import disk_errors, locked
from kafka_saga.local.logs import last_words
from kafka_saga.local.pins import KAFKA_VERSION
from kafka_saga.local.ports import PortChoice, any_port, choose_port, is_free
from kafka_saga.local.processes import ChildProcess, eventually, spawn
from kafka_saga.local.readiness import cluster_at
from kafka_saga.local.record import Running, live_record, record_path, write_record
from kafka_saga.local.storage import Storage, broker_ended, ensure_formatted
from kafka_saga.worker.paths import cache_home, saga_home

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_TRIES = 3


@dataclass(frozen=True)
class Started:
    """What `start` did: the broker, whether it ran before, and why its port is not the default one."""

    running: Running
    already: bool = False
    why_port: str | None = None


@dataclass(frozen=True)
class Status:
    """How the broker is: `running` is None when it is not; `answers` is whether it serves clients."""

    running: Running | None
    answers: bool
    data: Path
    log: Path


class EmbeddedKafka:
    """A single-node Apache Kafka under `home` (default: the saga home).

    `port`: None for 9092 or the next free one, 0 for any free one, else exactly that one.
    `detached`: outlives this process. `heap_mib`: most memory of the Java heap, MiB. `say` gets progress lines.
    """

    def __init__(
        self,
        home: Path | None = None,
        port: int | None = None,
        *,
        detached: bool = False,
        heap_mib: int = 768,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._home = home or saga_home()
        self._storage = Storage(self._home / "kafka")
        self._record = record_path(self._home)
        self._port = port
        self._detached = detached
        self._heap_mib = heap_mib
        self._say = say
        self._running: Running | None = None
        self._ours = False
        self._said = 0

    @property
    def bootstrap(self) -> str:
        """Where clients connect, `host:port`."""
        return self._started().bootstrap

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self._storage.log

    def start(self, *, fresh: bool = False) -> Started:
        """Start the broker and wait until it serves clients; harmless when it runs already.

        `fresh` deletes the data of earlier runs first.

        Raises:
            UnavailableError: it cannot be fetched or started, or runs already and `fresh` was asked for.
        """
        with self._alone():
            if (running := live_record(self._record)) is not None:
                started = self._join(running, fresh)
            else:
                started = self._start(fresh)
        self._running, self._ours = started.running, not started.already or self._ours
        return started

    def stop(self) -> bool:
        """Stop whichever broker runs under this home, SIGTERM first; False when none does."""
        if not self._record.exists():
            return False
        with self._alone():
            running = live_record(self._record)
            if running and not running.process.terminate(_STOP_SECONDS):
                self._say(f"Kafka (process {running.pid}) did not end within {_STOP_SECONDS:.0f} s and was killed")
            self._record.unlink(missing_ok=True)
        return running is not None

    def status(self) -> Status:
        """Look at it, changing nothing."""
        running = live_record(self._record)
        answers = running is not None and cluster_at(running.bootstrap) == running.cluster_id
        return Status(running, answers, self._storage.data, self._storage.log)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._started().process.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing is answered."""
        self._started().process.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause (SIGCONT)."""
        self._started().process.send(signal.SIGCONT)

    def restart(self) -> Started:
        """Stop it if it runs, then start it on the same port and data."""
        self._port = int(self.bootstrap.rpartition(":")[2])
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, unless it ran before us."""
        if self._ours:
            self.stop()

    def _started(self) -> Running:
        if self._running is None:
            raise UnavailableError("This embedded Kafka was not started: call start() first.")
        return self._running

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = self._storage.root / "lock"
        with disk_errors(self._storage.root), locked(lock, lambda: self._say("Waiting for another start or stop")):
            yield

    def _join(self, running: Running, fresh: bool) -> Started:
        if fresh:
            raise UnavailableError(
                f"Kafka is running at {running.bootstrap}: run `saga kafka stop` before its data is deleted."
            )
        self._await(running)
        return Started(running, already=True)

    def _start(self, fresh: bool) -> Started:
        if self._record.exists():
            self._say("The last Kafka ended without being stopped; its data is kept" + (", until now" if fresh else ""))
            self._record.unlink()
        distribution = kafka_distribution(cache_home(), self._say)
        if fresh:
            self._storage.delete_data()
        cluster = ensure_formatted(self._storage, distribution)
        for _ in range(_TRIES):
            if (started := self._attempt(distribution, cluster)) is not None:
                return started
        raise broker_ended(self._storage, self._said, "starting")

    def _attempt(self, distribution: Distribution, cluster: str) -> Started | None:
        """Start it once; None when somebody took its port in between."""
        choice = choose_port(self._port, is_free)
        listeners = Listeners(choice.port, any_port(lambda port: port != choice.port and is_free(port)))
        process = self._spawn(distribution, listeners)
        running = Running(
            pid=process.pid,
            mark=process.mark,
            bootstrap=listeners.bootstrap,
            version=KAFKA_VERSION,
            cluster_id=cluster,
            since=datetime.now(UTC),
        )
        try:
            return self._settle(running, choice)
        except BaseException:
            process.kill()
            self._record.unlink(missing_ok=True)
            raise

    def _settle(self, running: Running, choice: PortChoice) -> Started | None:
        # known before it is ready: should we be killed now, the next start finds it
        write_record(self._record, running)
        try:
            self._await(running)
        except UnavailableError:
            if "Address already in use" not in last_words(self._storage.log, self._storage.console, self._said):
                raise
            self._record.unlink()
            return None
        return Started(running, why_port=choice.why)

    def _spawn(self, distribution: Distribution, listeners: Listeners) -> ChildProcess:
        storage = self._storage
        storage.log.parent.mkdir(parents=True, exist_ok=True)
        self._said = storage.log_size()
        storage.properties.write_text(render(server_properties(storage.data, listeners)), encoding="utf-8")
        command = jvm_command(distribution.java, storage.log, self._heap_mib, "kafka.Kafka", str(storage.properties))
        environment = os.environ | {"CLASSPATH": distribution.class_path}
        return spawn(command, environment, storage.console, tethered=not self._detached)

    def _await(self, running: Running) -> None:
        def settled() -> bool:
            return not running.process.is_alive() or cluster_at(running.bootstrap) == running.cluster_id

        if not eventually(settled, _START_SECONDS):
            raise UnavailableError(
                f"Kafka (process {running.pid}) runs but does not answer at {running.bootstrap}:"
                f" run `saga kafka stop` and start it again. Its log: {self._storage.log}"
            )
        if not running.process.is_alive():
            raise broker_ended(self._storage, self._said, "starting")
