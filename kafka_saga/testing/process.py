"""One process of a system in memory: a worker with its executor, its clock and its connection to the log."""

from __future__ import annotations

from typing import NamedTuple

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.processor import Roles
from kafka_saga.observability.observer import Silent
from kafka_saga.testing.connection import Broker, Connection, Moment
from kafka_saga.testing.executor import Interfere, VirtualExecutor, undisturbed
from kafka_saga.worker.worker import Identity, Worker


class SkewedClock:
    """A process's clock: its time of day is off by `skew` milliseconds."""

    def __init__(self, clock: Clock, skew: int) -> None:
        self._clock = clock
        self._skew = skew

    def now(self) -> int:
        """The time of day as this process believes it."""
        return self._clock.now() + self._skew

    def monotonic(self) -> float:
        """Seconds that have passed; these are the same everywhere."""
        return self._clock.monotonic()


class Name(NamedTuple):
    """A process's name: its consumer group and which of the instances it is, written `group/instance`."""

    group: str
    instance: str

    def __str__(self) -> str:
        return f"{self.group}/{self.instance}"


class Surroundings(NamedTuple):
    """What all processes of a system share."""

    cluster: MemoryCluster
    broker: Broker
    blobs: BlobStore
    interfere: Interfere = undisturbed
    max_in_flight: int = 16


class SimulatedProcess:
    """A worker that takes its turns when it is told to.

    `incarnation` tells it apart from earlier ones of its name; with `None` it is static, and takes their place.
    """

    def __init__(
        self, name: Name, roles: Roles, around: Surroundings, skew: int = 0, incarnation: int | None = None
    ) -> None:
        self.name = name
        self._rested_at: Moment | None = None
        self._idle_since: int | None = None
        clock = SkewedClock(around.cluster.clock, skew)
        self.connection = Connection(around.cluster, around.broker)
        self.executor = VirtualExecutor(around.cluster.clock, around.interfere)
        self.worker = Worker(
            self.connection,
            _identity(name, incarnation),
            roles,
            self.executor,
            clock,
            around.blobs,
            Silent(),
            around.max_in_flight,
        )

    def turn(self) -> None:
        """One round of the worker's loop; of one in which nothing can happen, only the polls."""
        if self._is_idle and self.connection.polls_nothing():
            self._rested_at = self.connection.moment
            return
        before = self.connection.moment
        self.connection.begin_turn()
        self.worker.turn(0)
        after = self.connection.moment
        self._idle_since = self.connection.calls if self.worker.is_idle and self.connection.polls_again else None
        self._rested_at = before if after == before else None

    @property
    def is_at_rest(self) -> bool:
        """Whether a turn would do nothing: the last one did nothing, and nothing has changed since."""
        return self._rested_at == self.connection.moment and not self.executor.has_ready

    @property
    def _is_idle(self) -> bool:
        """Whether a turn that reads nothing does nothing: the last one has left nothing, and no time has come since."""
        return self._idle_since == self.connection.calls and not (self.executor.has_ready or self.worker.is_due)

    def beat(self) -> None:
        """Tell the groups that the process lives."""
        self.connection.beat()

    def stop(self) -> None:
        """End in order; what still runs is not waited for, since time stands still meanwhile."""
        try:
            self.turn()
            self.worker.drain(0)
            self.worker.close()
        finally:
            self.executor.close()

    def die(self) -> None:
        """End without a word: what it holds open on the log stays open until its time is over."""
        self.executor.close()


def _identity(name: Name, incarnation: int | None) -> Identity:
    """As `kafka_saga.worker.process` makes it with the setting `instance` (static), and without."""
    if incarnation is None:
        return Identity(name.group, f"{name.group}-{name.instance}", name.instance)
    return Identity(name.group, f"{name.group}-{name.instance}-{incarnation}")
