"""Transactions without an end: a broker's death leaves none behind, and one that is open is found and rolled back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException, Producer

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.port import Admin
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.topics import TopicFactory
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.distribution import kafka_distribution
from kafka_saga.local.hanging import Hanging, abort, find_hanging
from kafka_saga.local.readiness import brokers_at
from kafka_saga.worker.paths import cache_home
from tests.e2e.support.deadline import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

TOPIC = "deeds"
PLACES = [TopicPartition(TOPIC, number) for number in range(8)]
WRITERS = 6
KILLS = 3


def test_a_broker_that_is_killed_while_transactions_end_leaves_none_of_them_open(tmp_path: Path) -> None:
    """Kafka 4.3 skips the markers of those that end before partitions have their leader again (KAFKA-20734)."""
    with EmbeddedKafka(home=tmp_path, port=0) as kafka:
        prepared(kafka)
        with Writers(kafka.bootstrap) as writers:
            for _ in range(KILLS):
                writers.go_on()
                kafka.kill()
                kafka.restart()
            writers.go_on()
        admin = KafkaCluster({"bootstrap.servers": kafka.bootstrap}).admin()
        # whoever was cut off in the middle is rolled back when its time is over: after five seconds
        eventually(lambda: not still_open(admin), lambda: time.sleep(0.2), 30, "every transaction to end", str)
        assert "hence can be skipped" not in kafka.log.read_text(encoding="utf-8")


def test_an_open_transaction_is_found_and_rolled_back(tmp_path: Path) -> None:
    with EmbeddedKafka(home=tmp_path, port=0) as kafka:
        admin = prepared(kafka)
        producer = begun(kafka.bootstrap, seconds=600)
        producer.produce(TOPIC, b"never", partition=3)
        assert producer.flush(30) == 0
        assert admin.undecided(PLACES, now() - 60_000) == {}
        assert still_open(admin) == {PLACES[3]: 0}
        distribution = kafka_distribution(cache_home())
        assert find_hanging(distribution, kafka.bootstrap, brokers_at(kafka.bootstrap)) == ()  # it may still end
        abort(distribution, kafka.bootstrap, Hanging(TOPIC, 3, 0, 0, 1))
        assert still_open(admin) == {}


class Writers:
    """Threads that end one transaction after the other, over all partitions; each begins anew as somebody else."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._stop = threading.Event()
        self._ended = 0
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(WRITERS)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def go_on(self) -> None:
        """Wait until a good many more have ended."""
        enough = self._ended + 50
        eventually(lambda: self._ended > enough, lambda: time.sleep(0.01), 60, "transactions to end", str)

    def _write(self) -> None:
        while not self._stop.is_set():
            try:
                self._write_on()
            except KafkaException:
                continue

    def _write_on(self) -> None:
        producer = begun(self._bootstrap, seconds=5)
        while not self._stop.is_set():
            for place in PLACES:
                producer.produce(TOPIC, b"done", partition=place.partition)
            producer.commit_transaction(8)
            self._ended += 1
            producer.begin_transaction()
        producer.abort_transaction(8)


def prepared(kafka: EmbeddedKafka) -> Admin:
    admin = KafkaCluster({"bootstrap.servers": kafka.bootstrap}).admin()
    admin.create_missing([TopicFactory(len(PLACES)).log(TOPIC)])
    return admin


def begun(bootstrap: str, seconds: int) -> Producer:
    """Somebody new who has begun a transaction, which the broker ends after so many seconds."""
    own = {"transactional.id": uuid4().hex, "transaction.timeout.ms": seconds * 1000, "retry.backoff.ms": 1}
    producer = Producer({"bootstrap.servers": bootstrap, "retry.backoff.max.ms": 50, "log_level": 0, **own})
    producer.init_transactions(30)
    producer.begin_transaction()
    return producer


def still_open(admin: Admin) -> dict[TopicPartition, int]:
    """The partitions in which anything is undecided now."""
    return dict(admin.undecided(PLACES, now() + 60_000))


def now() -> int:
    return time.time_ns() // 1_000_000
