"""The groupless reader on real Kafka, read-committed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from confluent_kafka import Consumer as Client

from kafka_saga.broker.kafka.errors import LOG, note
from kafka_saga.broker.kafka.messages import READING, Passed, places
from kafka_saga.broker.records import Record, TopicPartition


class KafkaReader:
    """A reader without a group."""

    def __init__(self, properties: Mapping[str, object]) -> None:
        own = {
            "group.id": f"saga-reader-{uuid.uuid4().hex}",
            "enable.partition.eof": True,
            # that a partition has ended is known when a fetch comes back empty: 500 ms by default
            "fetch.wait.max.ms": 50,
            "error_cb": note,
        }
        self._client = Client({**READING, **own, **properties}, logger=LOG)
        self._passed = Passed()

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """As `Reader.assign`."""
        self._passed.clear()
        self._client.assign(places(positions))

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """As `Reader.poll`."""
        first = self._client.poll(timeout)
        if first is None:
            return []
        messages = [first, *self._client.consume(limit - 1, 0)] if limit > 1 else [first]
        return self._passed.records(messages)

    def ended(self) -> frozenset[TopicPartition]:
        """As `Reader.ended`: those whose end-of-partition event was the last that came of them."""
        return frozenset(self._passed.ended)

    def positions(self) -> Mapping[TopicPartition, int]:
        """As `Reader.positions`: its own stops before trailing markers, the end-of-partition event does not."""
        return dict(self._passed.positions)

    def close(self) -> None:
        """As `Reader.close`."""
        self._client.close()
