"""How large a record may be: our client compares what it is given, the broker what arrives, which is compressed."""

from __future__ import annotations

import random

import pytest
from confluent_kafka import Producer as Client

from kafka_saga.broker.kafka.producer import WRITING
from kafka_saga.broker.memory.sizes import CLIENT_MAX_BYTES, client_size
from kafka_saga.broker.port import Cluster, TransactionAbortedError
from kafka_saga.broker.records import Outgoing
from kafka_saga.errors import UnavailableError
from tests.support.driver import Driver, topic, unique
from tests.support.logs import KafkaDriver, MemoryDriver
from tests.support.members import sees

MEGABYTE = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1048576"}
BLANKS, NOISE = b" " * 3_000_000, random.Random(1).randbytes(1_100_000)


def append_foreign(driver: Driver, record: Outgoing) -> None:
    """Write a record by a producer that bounds nothing itself."""
    if isinstance(driver, MemoryDriver):
        driver.cluster.append_foreign(record)
    elif isinstance(driver, KafkaDriver):
        client = Client({**driver.properties, "compression.type": "lz4", "message.max.bytes": 100_000_000})
        client.produce(record.topic, record.value, record.key, record.partition)
        assert client.flush(30) == 0


def test_the_bound_of_our_client_is_the_one_that_our_producers_set() -> None:
    assert WRITING["message.max.bytes"] == CLIENT_MAX_BYTES


def test_the_broker_bounds_what_is_compressed(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1, MEGABYTE)
    producer = cluster.producer(unique("producer"))
    producer.transact([Outgoing(name, 0, None, BLANKS, [])], {}, None)
    with pytest.raises(TransactionAbortedError) as refused:
        producer.transact([Outgoing(name, 0, None, NOISE, [])], {}, None)
    assert refused.value.of_record
    sees(driver, name, [BLANKS])


@pytest.mark.parametrize("headers", [[], [("name", b"x" * 200), ("", b"")]], ids=["bare", "with headers"])
def test_our_client_bounds_what_is_not_compressed(
    driver: Driver, cluster: Cluster, headers: list[tuple[str, bytes]]
) -> None:
    name = topic(driver, 1, MEGABYTE)
    room = CLIENT_MAX_BYTES - client_size(Outgoing(name, 0, b"key", b"", headers))
    largest, larger = (Outgoing(name, 0, b"key", b" " * size, headers) for size in (room, room + 1))
    producer = cluster.producer(unique("producer"))
    producer.transact([largest], {}, None)
    with pytest.raises(TransactionAbortedError) as refused:
        producer.transact([larger], {}, None)
    assert refused.value.of_record
    sees(driver, name, [largest.value])


def test_a_client_that_is_not_ours_may_write_more(driver: Driver) -> None:
    name = topic(driver, 1, MEGABYTE)
    append_foreign(driver, Outgoing(name, 0, b"key", b" " * 5_000_000, []))
    sees(driver, name, [b" " * 5_000_000])


def test_a_published_record_that_the_broker_does_not_take_is_said(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1, MEGABYTE)
    publisher = cluster.publisher()
    publisher.publish(name, b"key", BLANKS, [])
    with pytest.raises(UnavailableError):
        publisher.publish(name, b"key", NOISE, [])
    sees(driver, name, [BLANKS])
    publisher.close()
