"""Real Kafka as a cluster: where its consumers, producers and readers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.broker.kafka.admin import KafkaAdmin
from kafka_saga.broker.kafka.consumer import KafkaConsumer
from kafka_saga.broker.kafka.producer import KafkaProducer, KafkaPublisher
from kafka_saga.broker.kafka.reader import KafkaReader
from kafka_saga.broker.port import Listener


class KafkaCluster:
    """`properties` are librdkafka's (`bootstrap.servers`, security); timeouts are in seconds."""

    def __init__(
        self,
        properties: Mapping[str, object],
        *,
        session_timeout: float = 10.0,
        transaction_timeout: float = 10.0,
        patience: float = 4.0,
    ) -> None:
        self._properties = dict(properties)
        self._session_timeout = session_timeout
        self._transaction_timeout = transaction_timeout
        self._patience = patience

    def consumer(
        self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None
    ) -> KafkaConsumer:
        """A new member of `group`."""
        return KafkaConsumer(self._properties, group, topics, listener, self._session_timeout, instance)

    def producer(self, transactional_id: str) -> KafkaProducer:
        """A transactional producer that fences its predecessor."""
        return KafkaProducer(self._properties, transactional_id, self._transaction_timeout)

    def reader(self) -> KafkaReader:
        """A reader without a group."""
        return KafkaReader(self._properties)

    def publisher(self) -> KafkaPublisher:
        """A plain producer."""
        return KafkaPublisher(self._properties)

    def admin(self) -> KafkaAdmin:
        """Topics and offsets."""
        return KafkaAdmin(self._properties, self._patience)
