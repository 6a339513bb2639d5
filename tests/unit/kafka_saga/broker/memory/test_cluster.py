"""The in-memory log as a whole: faults, what tests may look at; the rest is the contract suite's."""

from __future__ import annotations

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.port import TransactionAbortedError
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicFactory
from kafka_saga.errors import ChoreographyError


class CrashError(Exception):
    """The process ends here."""


def cluster_with(topic: str, clock: VirtualClock | None = None) -> MemoryCluster:
    cluster = MemoryCluster(clock)
    cluster.admin().create_missing([TopicFactory(2).log(topic)])
    return cluster


def to(partition: int, value: bytes) -> list[Outgoing]:
    return [Outgoing("topic", partition, b"k", value, [])]


def fail_at(point: str, error: Exception, cluster: MemoryCluster) -> None:
    def fault(here: str) -> None:
        if here == point:
            raise error

    cluster.fault = fault


@pytest.mark.parametrize("point", ["inside", "before_offsets", "before_commit"])
def test_a_transaction_that_the_broker_refuses_is_rolled_back_and_the_next_one_is_not(point: str) -> None:
    cluster = cluster_with("topic")
    producer = cluster.producer("p")
    fail_at(point, TransactionAbortedError("no"), cluster)
    with pytest.raises(TransactionAbortedError):
        producer.transact(to(0, b"refused"), {}, None)
    cluster.fault = lambda _: None
    producer.transact(to(0, b"taken"), {}, None)
    assert [record.value for record in cluster.records("topic")] == [b"taken"]


@pytest.mark.parametrize(("point", "values"), [("before_commit", []), ("after_commit", [b"first"])])
def test_a_process_that_dies_leaves_its_transaction_as_it_was_until_its_successor_comes(
    point: str, values: list[bytes]
) -> None:
    cluster = cluster_with("topic")
    fail_at(point, CrashError(), cluster)
    with pytest.raises(CrashError):
        cluster.producer("p").transact(to(0, b"first"), {}, None)
    cluster.fault = lambda _: None
    cluster.publisher().publish("topic", None, b"to the first partition", [])
    assert [record.value for record in cluster.records("topic")] == values + [b"to the first partition"] * bool(values)
    cluster.producer("p")
    assert [record.value for record in cluster.records("topic")] == [*values, b"to the first partition"]


def test_a_partition_that_does_not_exist_is_said_and_rolls_the_transaction_back() -> None:
    cluster = cluster_with("topic")
    with pytest.raises(TransactionAbortedError, match="does not exist"):
        cluster.producer("p").transact([*to(0, b"v"), *to(7, b"v")], {}, None)
    assert cluster.records("topic") == []
    assert cluster.partition(TopicPartition("topic", 0)).last_stable == 2
    with pytest.raises(ChoreographyError, match="missing"):
        cluster.partition(TopicPartition("missing", 0))
    with pytest.raises(ChoreographyError, match="missing"):
        cluster.publisher().publish("missing", b"k", b"v", [])


def test_records_are_listed_in_the_order_of_log_time() -> None:
    clock = VirtualClock()
    cluster = cluster_with("topic", clock)
    for partition, value in ((1, b"first"), (0, b"second"), (1, b"third")):
        cluster.producer("p").transact(to(partition, value), {}, None)
        clock.advance(1)
    assert [record.value for record in cluster.records("topic")] == [b"first", b"second", b"third"]
