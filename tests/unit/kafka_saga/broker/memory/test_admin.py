"""What the in-memory admin says of transactions that have no end."""

from __future__ import annotations

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicFactory

PLACES = [TopicPartition("topic", 0), TopicPartition("topic", 1)]


def cluster_at(clock: VirtualClock) -> MemoryCluster:
    cluster = MemoryCluster(clock)
    cluster.admin().create_missing([TopicFactory(2).log("topic")])
    return cluster


def to(partition: int) -> Outgoing:
    return Outgoing("topic", partition, b"k", b"", [])


def test_an_open_transaction_is_told_by_its_first_record_where_it_has_written_before_the_time() -> None:
    clock = VirtualClock(0)
    cluster = cluster_at(clock)
    cluster.producer("done").transact([to(0)], {}, None)
    clock.advance(1)
    cluster.producer("open").begin([to(0), to(0)])
    admin = cluster.admin()
    assert admin.undecided(PLACES, 1_001) == {PLACES[0]: 2}  # behind the first record and its marker
    assert admin.undecided(PLACES, 1_000) == {}
    assert admin.undecided(PLACES[1:], 1_001) == {}


def test_of_several_open_transactions_the_first_one_counts_until_it_has_ended() -> None:
    clock = VirtualClock(0)
    cluster = cluster_at(clock)
    first, second = cluster.producer("first"), cluster.producer("second")
    first.begin([to(0)])
    clock.advance(1)
    second.begin([to(0)])
    admin = cluster.admin()
    assert admin.undecided(PLACES, 500) == {PLACES[0]: 0}
    first.abort()
    assert admin.undecided(PLACES, 500) == {}
    assert admin.undecided(PLACES, 5_000) == {PLACES[0]: 1}
    second.commit({}, None)
    assert admin.undecided(PLACES, 5_000) == {}
