"""Clients of Kafka that are kept from one question to the next, since making one takes longer than asking it.

Admin clients serve many threads at once; a reader serves one question at a time, and is lent. Whoever finds that Kafka
does not answer calls `renew`: a client whose broker has restarted may never find its way back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from kafka_saga.broker.port import Admin, Cluster, Consumer, Listener, Producer, Publisher, Reader
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.inspection.log.groups import Groups

IDLE = 4
"""How many readers are kept that nobody uses."""


class LentReader:
    """A reader that goes back to its owner when it is closed."""

    def __init__(self, reader: Reader, give_back: Callable[[Reader], None]) -> None:
        self._reader = reader
        self._give_back = give_back

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """As `Reader.assign`."""
        self._reader.assign(positions)

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """As `Reader.poll`."""
        return self._reader.poll(timeout, limit)

    def ended(self) -> frozenset[TopicPartition]:
        """As `Reader.ended`."""
        return self._reader.ended()

    def positions(self) -> Mapping[TopicPartition, int]:
        """As `Reader.positions`."""
        return self._reader.positions()

    def close(self) -> None:
        """Give it back."""
        self._give_back(self._reader)


class Clients:
    """A cluster whose admin, groups and readers are kept; consumers and producers are made anew. Thread-safe."""

    def __init__(self, cluster: Callable[[], Cluster], groups: Callable[[], Groups]) -> None:
        self._make_cluster = cluster
        self._make_groups = groups
        self._lock = threading.Lock()
        self._generation = 0
        self._admin: Admin | None = None
        self._groups: Groups | None = None
        self._idle: list[Reader] = []

    def admin(self) -> Admin:
        """As `Cluster.admin`."""
        with self._lock:
            self._admin = self._admin or self._make_cluster().admin()
            return self._admin

    def groups(self) -> Groups:
        """The consumer groups."""
        with self._lock:
            self._groups = self._groups or self._make_groups()
            return self._groups

    def reader(self) -> Reader:
        """As `Cluster.reader`; closing it gives it back."""
        with self._lock:
            generation, kept = self._generation, self._idle.pop() if self._idle else None
        reader = kept or self._make_cluster().reader()
        return LentReader(reader, lambda one: self._take_back(one, generation))

    def consumer(self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None) -> Consumer:
        """As `Cluster.consumer`."""
        return self._make_cluster().consumer(group, topics, listener, instance)

    def producer(self, transactional_id: str) -> Producer:
        """As `Cluster.producer`."""
        return self._make_cluster().producer(transactional_id)

    def publisher(self) -> Publisher:
        """As `Cluster.publisher`."""
        return self._make_cluster().publisher()

    def renew(self) -> None:
        """Keep none of these any more: the next question makes its own. Blocks while connections are closed."""
        with self._lock:
            self._generation += 1
            self._admin = self._groups = None
            given_up, self._idle = self._idle, []
        for reader in given_up:
            reader.close()

    def _take_back(self, reader: Reader, generation: int) -> None:
        with self._lock:
            if generation == self._generation and len(self._idle) < IDLE:
                reader.assign({})  # or it would go on fetching for nobody
                self._idle.append(reader)
                return
        reader.close()
