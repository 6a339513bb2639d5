"""The port's transactions: all or nothing, with offsets, fenced."""

from __future__ import annotations

import pytest

from kafka_saga.broker.port import Cluster, FencedError, TransactionAbortedError
from kafka_saga.broker.records import Committed, TopicPartition
from tests.support.driver import Driver, abort, commit, numbered, to, topic, unique
from tests.support.members import Member, joined, read_all, sees, turns, values_in

METADATA = "1|r|9|" + "x" * 3_490


def test_a_transaction_over_several_partitions_is_visible_as_a_whole(driver: Driver) -> None:
    name = topic(driver)
    commit(driver, [*to(name, 0, b"a", b"b"), *to(name, 1, b"c")])
    sees(driver, name, [b"a", b"b", b"c"], partitions=2)


def test_a_transaction_that_is_open_is_not_visible_at_all(driver: Driver) -> None:
    name = topic(driver)
    open_one = driver.open(unique("open"), [*to(name, 0, b"a"), *to(name, 1, b"b")])
    assert values_in(driver, name, 2) == []
    open_one.commit()
    sees(driver, name, [b"a", b"b"], partitions=2)


def test_aborted_records_are_never_seen(driver: Driver) -> None:
    name = topic(driver, 1)
    commit(driver, to(name, 0, b"before"))
    abort(driver, to(name, 0, b"aborted", b"too"))
    commit(driver, to(name, 0, b"after"))
    sees(driver, name, [b"before", b"after"])


def test_markers_and_aborted_records_leave_gaps_in_offsets(driver: Driver) -> None:
    name = topic(driver, 1)
    commit(driver, to(name, 0, b"0", b"1"))
    abort(driver, to(name, 0, b"3"))
    commit(driver, to(name, 0, b"5"))
    sees(driver, name, [b"0", b"1", b"5"])
    assert [record.offset for record in read_all(driver, name, 1)] == [0, 1, 5]


def test_an_open_transaction_holds_readers_back_from_what_was_committed_after_it(driver: Driver) -> None:
    name = topic(driver, 1)
    commit(driver, to(name, 0, b"before"))
    open_one = driver.open(unique("open"), to(name, 0, b"open"))
    commit(driver, to(name, 0, b"after"))
    sees(driver, name, [b"before"])
    open_one.abort()
    sees(driver, name, [b"before", b"after"])


def test_end_offsets_count_what_is_not_committed_and_markers(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    at = TopicPartition(name, 0)
    admin = cluster.admin()
    assert admin.end_offsets([at]) == {at: 0}
    open_one = driver.open(unique("open"), numbered(name, 0, range(3)))
    assert admin.end_offsets([at]) == {at: 3}
    open_one.commit()
    driver.eventually(lambda: admin.end_offsets([at]) == {at: 4}, lambda: None)


def test_offsets_and_their_metadata_are_committed_with_the_records(driver: Driver, cluster: Cluster) -> None:
    source, target, group = topic(driver, 1), topic(driver, 1), unique("group")
    at = TopicPartition(source, 0)
    member = joined(driver, group, source)
    producer = cluster.producer(unique("producer"))
    producer.transact(to(target, 0, b"out"), {at: Committed(7, METADATA)}, member.consumer.group_metadata())
    sees(driver, target, [b"out"])
    assert member.consumer.committed([at]) == {at: Committed(7, METADATA)}
    member.consumer.close()
    successor = joined(driver, group, source)
    assert successor.committed == {at: Committed(7, METADATA)}
    successor.consumer.close()


def test_offsets_alone_can_be_committed(driver: Driver, cluster: Cluster) -> None:
    source = topic(driver, 1)
    at = TopicPartition(source, 0)
    member = joined(driver, unique("group"), source)
    producer = cluster.producer(unique("producer"))
    for offset in (1, 2):
        producer.transact([], {at: Committed(offset)}, member.consumer.group_metadata())
    assert member.consumer.committed([at]) == {at: Committed(2)}
    assert cluster.admin().end_offsets([at]) == {at: 0}
    member.consumer.close()


def test_nothing_is_committed_of_what_was_never_committed(driver: Driver) -> None:
    member = joined(driver, unique("group"), topic(driver, 1))
    assert member.committed == {}
    member.consumer.close()


def test_a_generation_that_a_rebalance_has_ended_can_commit_nothing(driver: Driver, cluster: Cluster) -> None:
    source, target, group = topic(driver), topic(driver, 1), unique("group")
    first = joined(driver, group, source)
    stale = first.consumer.group_metadata()
    second = Member(driver, group, [source])
    driver.eventually(lambda: len(first.assigned or ()) == len(second.assigned or ()) == 1, turns(first, second))
    producer = cluster.producer(unique("producer"))
    at = TopicPartition(source, 0)
    with pytest.raises(TransactionAbortedError):
        producer.transact(to(target, 0, b"stale"), {at: Committed(5)}, stale)
    assert first.consumer.committed([at]) == {}
    producer.transact(to(target, 0, b"current"), {at: Committed(6)}, first.consumer.group_metadata())
    sees(driver, target, [b"current"])
    assert first.consumer.committed([at]) == {at: Committed(6)}
    first.consumer.close()
    second.consumer.close()


def test_a_producer_goes_on_after_a_transaction_that_was_rolled_back(driver: Driver, cluster: Cluster) -> None:
    source, target = topic(driver, 1), topic(driver, 1)
    member = joined(driver, unique("group"), source)
    metadata = member.consumer.group_metadata()
    member.consumer.close()
    producer = cluster.producer(unique("producer"))
    for _ in range(3):
        with pytest.raises(TransactionAbortedError):
            producer.transact(to(target, 0, b"left"), {TopicPartition(source, 0): Committed(1)}, metadata)
    producer.transact(to(target, 0, b"alone"), {}, None)
    sees(driver, target, [b"alone"])


def test_a_successor_with_the_same_id_fences_its_predecessor(driver: Driver, cluster: Cluster) -> None:
    name, same = topic(driver, 1), unique("producer")
    first = cluster.producer(same)
    first.transact(to(name, 0, b"first"), {}, None)
    second = cluster.producer(same)
    with pytest.raises(FencedError):
        first.transact(to(name, 0, b"too late"), {}, None)
    second.transact(to(name, 0, b"second"), {}, None)
    sees(driver, name, [b"first", b"second"])


def test_a_successor_with_the_same_id_aborts_what_its_predecessor_left_open(driver: Driver, cluster: Cluster) -> None:
    name, same = topic(driver, 1), unique("producer")
    driver.open(same, to(name, 0, b"left open"))
    cluster.producer(same).transact(to(name, 0, b"second"), {}, None)
    sees(driver, name, [b"second"])


def test_a_thousand_records_are_one_transaction(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    producer = cluster.producer(unique("producer"))
    producer.transact(numbered(name, 0, range(1_000)), {}, None)
    producer.transact(numbered(name, 0, range(1_000, 2_000)), {}, None)
    sees(driver, name, [b"%d" % number for number in range(2_000)])
