"""Asks a broker whether it serves clients."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_saga.errors import UnavailableError
from kafka_saga.local.ports import accepts

# librdkafka tells stderr of each refused connection, unless somebody else listens
_SILENT = logging.getLogger("kafka_saga.local.librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def cluster_at(bootstrap: str, timeout: float = 2.0) -> str | None:
    """Return the cluster id of the Kafka that answers a metadata request at `bootstrap` within `timeout` seconds."""
    if not accepts(int(bootstrap.rpartition(":")[2])):
        return None
    try:
        client = AdminClient({"bootstrap.servers": bootstrap}, logger=_SILENT, error_cb=lambda _: None)
        metadata = client.list_topics(timeout=timeout)
    except KafkaException:
        return None
    return str(metadata.cluster_id) if metadata.brokers else None


def brokers_at(bootstrap: str, timeout: float = 4.0) -> tuple[int, ...]:
    """The ids of a Kafka's brokers. Raises UnavailableError if it does not answer within `timeout` seconds."""
    try:
        client = AdminClient({"bootstrap.servers": bootstrap}, logger=_SILENT, error_cb=lambda _: None)
        return tuple(sorted(client.list_topics(timeout=timeout).brokers))
    except KafkaException:
        raise UnavailableError(f"Kafka at {bootstrap} does not answer within {timeout:g} s: does it run?") from None
