"""Brokers' clocks, and what retention deletes by them."""

from __future__ import annotations

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.partition import Partition, State, Transaction
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicFactory, TopicSpec

HERE = TopicPartition("topic", 0)
HOUR = 3_600_000


def cluster_with(config: dict[str, str], clock: VirtualClock | None = None) -> MemoryCluster:
    cluster = MemoryCluster(clock)
    cluster.admin().create_missing([TopicSpec("topic", 2, 1, config)])
    return cluster


def write(cluster: MemoryCluster, value: bytes, partition: int = 0) -> None:
    cluster.producer("p").transact([Outgoing("topic", partition, b"k", value, [])], {}, None)


def times(cluster: MemoryCluster) -> list[tuple[bytes | None, int]]:
    return [(record.value, record.timestamp) for record in cluster.records("topic")]


def test_a_record_is_stamped_by_the_clock_of_the_leader_of_its_partition() -> None:
    cluster = cluster_with({}, VirtualClock(1_000))
    cluster.clock_offsets = lambda topic, number: -400 * number if topic == "topic" else 0
    write(cluster, b"right")
    write(cluster, b"slow", 1)
    cluster.append_foreign(Outgoing("topic", 1, None, b"foreign", []))
    assert sorted(times(cluster)) == [(b"foreign", 600), (b"right", 1_000), (b"slow", 600)]
    written = cluster.publisher().publish("topic", b"key", b"published", [])
    assert written.timestamp == 1_000 - 400 * written.partition


def test_a_clock_that_steps_back_lets_log_times_go_backwards_and_the_order_of_a_partition_stays() -> None:
    """Source: Kafka's LogValidator stamps with the broker's clock, whatever the last record has (LogAppendTime)."""
    clock = VirtualClock(1_000)
    cluster = cluster_with({}, clock)
    write(cluster, b"before")
    write(cluster, b"of another partition", 1)
    cluster.clock_offsets = lambda _, number: 0 if number else -900
    clock.advance(0.1)
    write(cluster, b"after")
    assert times(cluster) == [(b"before", 1_000), (b"after", 200), (b"of another partition", 1_000)]


def test_retention_deletes_what_is_older_where_the_policy_is_delete() -> None:
    clock = VirtualClock(0)
    cluster = cluster_with({"cleanup.policy": "delete", "retention.ms": str(HOUR)}, clock)
    for value in (b"1", b"2", b"3"):
        write(cluster, value)
        clock.advance(1_800)
    cluster.retain()
    assert [value for value, _ in times(cluster)] == [b"2", b"3"]
    assert (cluster.partition(HERE).log_start, cluster.partition(HERE).end) == (2, 6)
    cluster.retain(before_ms=clock.now())
    assert times(cluster) == []
    assert (cluster.partition(HERE).log_start, cluster.partition(HERE).end) == (6, 6)


def test_retention_leaves_compacted_topics_and_those_without_a_bound() -> None:
    clock = VirtualClock(0)
    for config in ({"cleanup.policy": "compact"}, {"cleanup.policy": "delete", "retention.ms": "-1"}):
        cluster = cluster_with(config, clock)
        write(cluster, b"1")
        clock.advance(1_000_000)
        cluster.retain()
        assert [value for value, _ in times(cluster)] == [b"1"]


def test_a_compacted_topic_whose_entries_expire_loses_the_old_ones() -> None:
    clock = VirtualClock(0)
    cluster = MemoryCluster(clock)
    cluster.admin().create_missing([TopicFactory(1).expiring_changelog("topic")])
    for key in (b"old", b"new"):
        cluster.producer("p").transact([Outgoing("topic", 0, key, b"v", [])], {}, None)
        clock.advance(16 * 86_400)
    cluster.compact(["topic"])
    cluster.retain()
    assert [record.key for record in cluster.records("topic")] == [b"new"]


def test_a_younger_record_keeps_the_older_ones_after_it() -> None:
    """Log times may go back; segments are deleted from the beginning on, each by its latest record."""
    partition = Partition("topic", 0)
    for time in (1, 9, 2, 8):
        partition.append(Outgoing("topic", 0, None, b"v", []), time)
    assert partition.first_since(5) == 1
    partition.delete_before(partition.first_since(5))
    assert [record.timestamp for record in partition.visible_from(0)] == [9, 2, 8]


def test_a_record_is_found_from_any_offset_after_deletion_and_compaction() -> None:
    partition = Partition("topic", 0)
    for key in b"ababcd":
        partition.append(Outgoing("topic", 0, bytes([key]), b"v", []), 0)

    def offsets() -> list[list[int]]:
        return [[record.offset for record in partition.visible_from(offset)] for offset in range(7)]

    partition.delete_before(1)
    assert offsets() == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [2, 3, 4, 5], [3, 4, 5], [4, 5], [5], []]
    partition.compact()
    partition.delete_before(3)
    assert offsets() == [[3, 4, 5]] * 4 + [[4, 5], [5], []]
    partition.delete_before(100)
    assert (offsets(), partition.log_start, partition.last_stable) == ([[]] * 7, 6, 6)


def test_the_rest_of_a_transaction_whose_beginning_is_deleted_becomes_visible() -> None:
    partition, transaction = Partition("topic", 0), Transaction()
    for _ in range(3):
        partition.append(Outgoing("topic", 0, None, b"v", []), 0, transaction)
    partition.delete_before(2)
    assert (partition.last_stable, list(partition.visible_from(0))) == (0, [])
    partition.mark(transaction, State.COMMITTED)
    assert [record.offset for record in partition.visible_from(0)] == [2]
