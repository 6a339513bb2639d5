"""The topic `saga.definitions`: read to its end, and added to. What its records say is for others to know."""

from __future__ import annotations

from typing import NamedTuple

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.reading import records_from
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_DEFINITIONS
from kafka_saga.errors import UnavailableError


class KeyValue(NamedTuple):
    """A key and the JSON under it."""

    key: str
    value: bytes


def read(cluster: Cluster, clock: Clock) -> list[Record]:
    """Everything said, in the order of each partition. Raises UnavailableError if it does not come in time."""
    count = cluster.admin().partitions([SAGA_DEFINITIONS]).get(SAGA_DEFINITIONS)
    if count is None:
        raise UnavailableError(f"Kafka does not know its topic {SAGA_DEFINITIONS} yet.")
    places = [TopicPartition(SAGA_DEFINITIONS, number) for number in range(count)]
    return list(records_from(cluster, dict.fromkeys(places), clock))


def publish(cluster: Cluster, *entries: KeyValue) -> None:
    """Say this, in the partitions of the keys. Raises UnavailableError if Kafka does not take it."""
    if not entries:
        return
    publisher = cluster.publisher()
    for key, value in entries:
        publisher.publish(SAGA_DEFINITIONS, key.encode(), value, [("content-type", b"application/json")])
    publisher.close()
