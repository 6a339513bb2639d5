"""The two logs under test: in memory, and real Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from confluent_kafka import Consumer
from confluent_kafka import Producer as Client
from confluent_kafka import TopicPartition as Place

from kafka_saga.broker.clock import SystemClock, VirtualClock
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.producers import MemoryProducer
from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from tests.support.driver import PATIENCE, SESSION_TIMEOUT, VIRTUAL_TURN, OpenTransaction, unique


class MemoryDriver:
    """The in-memory log; its clock moves with every turn."""

    is_real = False

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.cluster = MemoryCluster(self.clock)

    def eventually(self, condition: Callable[[], bool], turn: Callable[[], object]) -> None:
        """As `Driver.eventually`; handlers may run in real threads, so that the bound is one of real time."""

        def turn_and_advance() -> None:
            turn()
            self.clock.advance(VIRTUAL_TURN)

        _eventually(condition, turn_and_advance)

    def open(self, transactional_id: str, records: Sequence[Outgoing]) -> OpenTransaction:
        """As `Driver.open`."""
        producer = self.cluster.producer(transactional_id)
        producer.begin(records)
        return _MemoryTransaction(producer)

    def write(self, records: Sequence[Outgoing]) -> OpenTransaction:
        """As `Driver.write`."""
        return self.open(unique("writer"), records)

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """As `Driver.committed`."""
        offsets = self.cluster.groups[group].offsets
        return {at: offsets[at] for at in partitions if at in offsets}

    def clean(self, topic: str) -> None:
        """As `Driver.clean`."""
        self.cluster.compact([topic])


class _MemoryTransaction:
    def __init__(self, producer: MemoryProducer) -> None:
        self._producer = producer

    def commit(self) -> None:
        self._producer.commit({}, None)

    def abort(self) -> None:
        self._producer.abort()


class KafkaDriver:
    """Real Kafka; a member that does not poll for a session's time is out."""

    is_real = True

    def __init__(self, bootstrap: str) -> None:
        self.clock = SystemClock()
        self.properties = {"bootstrap.servers": bootstrap}
        stalled = {"max.poll.interval.ms": str(round(SESSION_TIMEOUT * 1000))}
        self.cluster = _ShortSession(self.properties, stalled)
        self._transactions: list[_KafkaTransaction] = []
        self._writer: _KafkaTransaction | None = None

    def eventually(self, condition: Callable[[], bool], turn: Callable[[], object]) -> None:
        """As `Driver.eventually`."""
        _eventually(condition, turn)

    def open(self, transactional_id: str, records: Sequence[Outgoing]) -> OpenTransaction:
        """As `Driver.open`."""
        self._transactions.append(_KafkaTransaction(self.properties, transactional_id))
        return self._transactions[-1].begin(records)

    def write(self, records: Sequence[Outgoing]) -> OpenTransaction:
        """As `Driver.write`."""
        self._writer = self._writer or _KafkaTransaction(self.properties, unique("writer"))
        return self._writer.begin(records)

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """As `Driver.committed`."""
        client = Consumer({**self.properties, "group.id": group, "isolation.level": "read_committed"})
        found = client.committed([Place(*at) for at in partitions], 30)
        client.close()
        known = [place for place in found if place.offset >= 0]
        return {TopicPartition(p.topic, p.partition): Committed(p.offset, p.metadata or "") for p in known}

    def clean(self, topic: str) -> None:
        """As `Driver.clean`: the broker does it by itself, once a segment is rolled by writing to it."""

    def close(self) -> None:
        """End what a failed test has left open."""
        for transaction in self._transactions:
            with suppress(Exception):  # it has ended already, as it should have
                transaction.abort()


class _KafkaTransaction:
    def __init__(self, properties: Mapping[str, str], transactional_id: str) -> None:
        own = {"transactional.id": transactional_id, "transaction.timeout.ms": 60_000}
        self._client = Client({**properties, **own, "retry.backoff.ms": 1, "log_level": 0})
        self._client.init_transactions(30)

    def begin(self, records: Sequence[Outgoing]) -> Self:
        self._client.begin_transaction()
        for record in records:
            self._client.produce(
                record.topic,
                record.value,
                record.key,
                record.partition,
                headers=record.headers,  # type: ignore[arg-type]
            )
        self._client.flush(30)
        return self

    def commit(self) -> None:
        self._client.commit_transaction(30)

    def abort(self) -> None:
        self._client.abort_transaction(30)


class _ShortSession(KafkaCluster):
    """Consumers leave their group soon after their last poll; producers and readers are as always."""

    def __init__(self, properties: Mapping[str, object], consumers: Mapping[str, object]) -> None:
        super().__init__(properties, session_timeout=SESSION_TIMEOUT)
        self._consumers = KafkaCluster({**properties, **consumers}, session_timeout=SESSION_TIMEOUT)
        self.consumer = self._consumers.consumer  # type: ignore[method-assign]


def _eventually(condition: Callable[[], bool], turn: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"it did not come true within {PATIENCE:g} s"
        turn()
