"""Topics: made once, compared with what they should be; and plain records, each in the partition of its key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicFactory
from tests.support.driver import Driver, commit, topic, unique
from tests.support.members import read_all

KEYS = [b"", b"a", b"ab", b"abc", b"abcd", b"acme/shop#7", "größe".encode(), bytes(range(256))]
KEYS += [b"%d" % number for number in range(90)]


def test_topics_are_created_once(cluster: Cluster) -> None:
    make = TopicFactory(3)
    specs = [make.log(unique("topic")), make.changelog(unique("topic"))]
    names = tuple(spec.name for spec in specs)
    admin = cluster.admin()
    assert admin.partitions(names) == {}
    assert set(admin.create_missing(specs)) == set(names)
    assert admin.create_missing(specs) == ()
    assert admin.create_missing([*specs, more := make.log(unique("topic"))]) == (more.name,)
    assert admin.partitions([*names, "no-such-topic"]) == dict.fromkeys(names, 3)
    assert admin.differences(specs) == ()


def test_services_that_start_together_may_create_the_same_topics(cluster: Cluster) -> None:
    specs = [TopicFactory(2).log(unique("topic")) for _ in range(5)]
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: cluster.admin().create_missing(specs), range(4)))
    assert sorted(name for names in created for name in names) == sorted(spec.name for spec in specs)
    assert cluster.admin().partitions([spec.name for spec in specs]) == {spec.name: 2 for spec in specs}


def test_what_differs_is_said_by_name(cluster: Cluster) -> None:
    make, name = TopicFactory(2), unique("topic")
    admin = cluster.admin()
    admin.create_missing([make.changelog(name)])
    sentences = admin.differences([TopicFactory(3).log(name), make.log(unique("missing"))])
    assert all(name in sentence for sentence in sentences)
    assert any("has 2 partitions" in sentence for sentence in sentences)
    assert any("cleanup.policy=compact" in sentence for sentence in sentences), sentences


def test_end_offsets_of_nothing_are_nothing(cluster: Cluster) -> None:
    assert cluster.admin().end_offsets([]) == {}


@pytest.mark.parametrize("partitions", [1, 7, 12])
def test_a_published_record_lies_where_its_key_belongs(driver: Driver, cluster: Cluster, partitions: int) -> None:
    name = topic(driver, partitions)
    publisher = cluster.publisher()
    written = [publisher.publish(name, key, b"v", []) for key in KEYS]
    assert [record.partition for record in written if record.key] == [partition_of(k, partitions) for k in KEYS if k]
    assert sorted((r.partition, r.offset, r.key) for r in read_all(driver, name, partitions)) == sorted(
        (r.partition, r.offset, r.key) for r in written
    )
    publisher.close()


def test_a_published_record_comes_back_as_it_was_written(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    publisher = cluster.publisher()
    written = [
        publisher.publish(name, None, b"no key", []),
        publisher.publish(name, b"key", None, [("h", b"\x00\xff"), ("h", b"again")]),
        publisher.publish(name, b"key", b"value", [("empty", b"")]),
    ]
    found = read_all(driver, name, 1)
    assert [(r.offset, r.key, r.value) for r in found] == [(r.offset, r.key, r.value) for r in written]
    assert [r.headers for r in found] == [[], [("h", b"\x00\xff"), ("h", b"again")], [("empty", b"")]]
    publisher.close()


def test_a_record_carries_the_time_at_which_the_broker_appended_it(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    before = driver.clock.now()
    publisher = cluster.publisher()
    publisher.publish(name, b"k", b"1", [])
    commit(driver, [Outgoing(name, 0, b"k", b"2", [])])
    driver.eventually(lambda: len(read_all(driver, name, 1)) == 2, lambda: None)
    after = driver.clock.now()
    assert [before - 5 <= record.timestamp <= after + 5 for record in read_all(driver, name, 1)] == [True, True]
    assert [r.timestamp for r in read_all(driver, name, 1)] == sorted(r.timestamp for r in read_all(driver, name, 1))
    publisher.close()


def test_the_partitions_of_a_topic_are_apart(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 2)
    commit(driver, [Outgoing(name, 1, b"k", b"v", [])])
    ends = cluster.admin().end_offsets([TopicPartition(name, 0), TopicPartition(name, 1)])
    assert ends[TopicPartition(name, 0)] == 0
    assert ends[TopicPartition(name, 1)] >= 1
