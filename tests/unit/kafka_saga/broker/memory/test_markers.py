"""Transaction markers that are written late. Source: KIP-98 and Kafka's TransactionMarkerChannelManager: the
coordinator answers a commit first, and then has a marker written to each partition on its own.
"""

from __future__ import annotations

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.memory.cluster import TRANSACTION_TIMEOUT
from kafka_saga.broker.port import FencedError, TransactionInDoubtError
from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicFactory
from tests.support.driver import numbered, places, to
from tests.support.logs import MemoryDriver
from tests.support.members import joined

HERE, THERE = places("topic", 2)
BOTH = [*to("topic", 0, b"here"), *to("topic", 1, b"there")]


@pytest.fixture
def cluster() -> MemoryCluster:
    """A cluster whose markers in partition 1 of a topic are late."""
    cluster = MemoryCluster(VirtualClock())
    cluster.admin().create_missing([TopicFactory(2).log("topic")])
    cluster.marks_at_once = lambda at: at != THERE
    return cluster


def seen(cluster: MemoryCluster) -> list[bytes | None]:
    return [record.value for record in cluster.records("topic")]


def test_a_record_becomes_visible_with_the_marker_of_its_own_partition(cluster: MemoryCluster) -> None:
    cluster.producer("p").transact(BOTH, {}, None)
    assert seen(cluster) == [b"here"]
    assert [cluster.partition(at).last_stable for at in (HERE, THERE)] == [2, 0]
    assert cluster.admin().end_offsets([HERE, THERE]) == {HERE: 2, THERE: 1}
    cluster.write_pending_markers()
    assert seen(cluster) == [b"here", b"there"]
    assert cluster.admin().end_offsets([THERE]) == {THERE: 2}


def test_pending_markers_are_written_where_they_are_asked_for(cluster: MemoryCluster) -> None:
    cluster.marks_at_once = lambda _: False
    cluster.producer("p").transact(BOTH, {}, None)
    cluster.write_pending_markers([THERE])
    assert seen(cluster) == [b"there"]
    cluster.write_pending_markers([THERE])
    assert [marker.at for marker in cluster.pending_markers] == [HERE]


def test_the_next_transaction_of_a_producer_waits_for_the_markers_of_the_last_one(cluster: MemoryCluster) -> None:
    """Kafka answers CONCURRENT_TRANSACTIONS until then."""
    first, other = cluster.producer("p"), cluster.producer("other")
    first.transact(BOTH, {}, None)
    other.transact(to("topic", 0, b"of another"), {}, None)
    assert seen(cluster) == [b"here", b"of another"]
    first.begin([])
    assert seen(cluster) == [b"here", b"of another", b"there"]


def test_a_successor_waits_for_the_markers_of_its_predecessor(cluster: MemoryCluster) -> None:
    """Kafka's InitProducerId is answered once the predecessor's transaction is complete."""
    cluster.producer("p").begin(BOTH)
    cluster.producer("p")
    assert cluster.partition(THERE).last_stable == 2
    assert cluster.pending_markers == []


def test_after_a_commit_in_doubt_a_new_client_waits_for_the_markers(cluster: MemoryCluster) -> None:
    def lose_the_answer(point: str) -> None:
        if point == "after_commit":
            raise TransactionInDoubtError("no answer")

    cluster.fault = lose_the_answer
    with pytest.raises(TransactionInDoubtError):
        cluster.producer("p").transact(BOTH, {}, None)
    assert seen(cluster) == [b"here", b"there"]


def test_a_transaction_that_expires_may_hold_readers_back_until_its_marker_is_there(cluster: MemoryCluster) -> None:
    expired = cluster.producer("p")
    expired.begin(BOTH)
    assert isinstance(cluster.clock, VirtualClock)
    cluster.clock.advance(TRANSACTION_TIMEOUT)
    cluster.expire_transactions()
    cluster.producer("other").transact(numbered("topic", 1, range(1)), {}, None)
    cluster.write_pending_markers([HERE])
    assert cluster.partition(THERE).last_stable == 0
    cluster.write_pending_markers()
    assert seen(cluster) == [b"0"]
    with pytest.raises(FencedError):
        expired.begin([])


def test_offsets_count_as_soon_as_they_are_committed() -> None:
    """A consumer's look at committed offsets waits for pending ones (OffsetFetch with require_stable)."""
    driver = MemoryDriver()
    driver.cluster.admin().create_missing([TopicFactory(2).log("topic")])
    driver.cluster.marks_at_once = lambda _: False
    member = joined(driver, "group", "topic")
    driver.cluster.producer("p").transact(BOTH, {HERE: Committed(7)}, member.consumer.group_metadata())
    assert member.consumer.committed([HERE]) == {HERE: Committed(7)}


def test_a_reader_reads_on_where_a_marker_has_come(cluster: MemoryCluster) -> None:
    cluster.producer("p").transact(BOTH, {}, None)
    reader = cluster.reader()
    reader.assign(dict.fromkeys((HERE, THERE)))
    assert [record.value for record in reader.poll(0, 10)] == [b"here"]
    assert reader.ended() == {HERE, THERE}
    assert reader.positions() == {HERE: 2, THERE: 0}
    cluster.write_pending_markers()
    assert reader.ended() == {HERE}
    assert [record.value for record in reader.poll(0, 10)] == [b"there"]
    assert reader.positions() == {HERE: 2, THERE: 2}


def test_compaction_leaves_what_waits_for_its_marker(cluster: MemoryCluster) -> None:
    cluster.producer("p").transact([Outgoing("topic", 1, b"k", value, []) for value in (b"1", b"2")], {}, None)
    cluster.compact(["topic"])
    cluster.write_pending_markers()
    assert seen(cluster) == [b"1", b"2"]


def test_an_undecided_transaction_is_one_without_its_marker(cluster: MemoryCluster) -> None:
    cluster.producer("p").transact(BOTH, {}, None)
    later = cluster.clock.now() + 1
    assert cluster.admin().undecided([HERE, THERE], later) == {THERE: 0}
    cluster.write_pending_markers()
    assert cluster.admin().undecided([HERE, TopicPartition("topic", 1)], later) == {}
