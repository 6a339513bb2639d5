"""What retention does to readers: the log begins later, and who stands before its beginning goes on from there."""

from __future__ import annotations

from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Committed, Record, TopicPartition
from tests.support.driver import TURN, Driver, commit, numbered, topic, unique
from tests.support.logs import KafkaDriver, MemoryDriver
from tests.support.members import joined, read_all, sees


def delete_before(driver: Driver, at: TopicPartition, offset: int) -> None:
    """Delete the records of a partition below an offset."""
    if isinstance(driver, MemoryDriver):
        driver.cluster.delete_before(at, offset)
    elif isinstance(driver, KafkaDriver):
        admin = AdminClient(dict(driver.properties))
        for future in admin.delete_records([Place(*at, offset)]).values():
            future.result(30)


def ten(driver: Driver) -> TopicPartition:
    """A partition with ten records and a marker, of which the first five are deleted."""
    name = topic(driver, 1)
    commit(driver, numbered(name, 0, range(10)))
    sees(driver, name, [b"%d" % number for number in range(10)])
    delete_before(driver, TopicPartition(name, 0), 5)
    return TopicPartition(name, 0)


def test_a_reader_that_stands_before_the_log_start_reads_from_there(driver: Driver, cluster: Cluster) -> None:
    at = ten(driver)
    reader = cluster.reader()
    for start in (None, 0, 3, 5, 7):
        reader.assign({at: start})
        found: list[Record] = []
        driver.eventually(lambda: at in reader.ended() and bool(found), lambda: found.extend(reader.poll(TURN, 100)))  # noqa: B023
        assert [record.offset for record in found] == list(range(max(5, start or 0), 10))
        assert reader.positions() == {at: 11}
    reader.close()


def test_deleting_moves_no_end(driver: Driver, cluster: Cluster) -> None:
    at = ten(driver)
    assert cluster.admin().end_offsets([at]) == {at: 11}
    delete_before(driver, at, 11)
    assert cluster.admin().end_offsets([at]) == {at: 11}
    commit(driver, numbered(at.topic, 0, range(10, 12)))
    sees(driver, at.topic, [b"10", b"11"])
    assert [record.offset for record in read_all(driver, at.topic, 1)] == [11, 12]


def test_who_reads_what_is_all_deleted_comes_to_the_end(driver: Driver, cluster: Cluster) -> None:
    at = ten(driver)
    delete_before(driver, at, 11)
    reader = cluster.reader()
    reader.assign({at: 2})
    driver.eventually(lambda: reader.positions() == {at: 11}, lambda: reader.poll(TURN, 100))
    assert reader.ended() == {at}
    reader.close()


def test_a_member_whose_committed_offset_is_deleted_begins_at_the_log_start(driver: Driver, cluster: Cluster) -> None:
    name, group = topic(driver, 1), unique("group")
    at = TopicPartition(name, 0)
    commit(driver, numbered(name, 0, range(10)))
    sees(driver, name, [b"%d" % number for number in range(10)])
    first = joined(driver, group, name)
    cluster.producer(unique("producer")).transact([], {at: Committed(2, "kept")}, first.consumer.group_metadata())
    first.consumer.close()
    delete_before(driver, at, 5)
    second = joined(driver, group, name)
    assert second.committed == {at: Committed(2, "kept")}
    driver.eventually(lambda: len(second.records) >= 5, second.turn)
    assert [record.offset for record in second.records] == list(range(5, 10))
    second.consumer.close()


def test_a_transaction_whose_first_records_are_deleted_is_still_undecided(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    at = TopicPartition(name, 0)
    open_one = driver.open(unique("open"), numbered(name, 0, range(4)))
    later = driver.clock.now() + 60_000
    assert cluster.admin().undecided([at], later) == {at: 0}
    delete_before(driver, at, 2)
    assert cluster.admin().undecided([at], later) == {at: 0}
    open_one.commit()
    sees(driver, name, [b"2", b"3"])
    driver.eventually(lambda: cluster.admin().undecided([at], later) == {}, lambda: None)
