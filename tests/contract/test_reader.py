"""Readers without a group: from where they are told to, to the end, and beyond."""

from __future__ import annotations

import pytest

from kafka_saga.broker.port import Cluster, Reader
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from tests.support.driver import TURN, Driver, abort, commit, numbered, places, to, topic, unique
from tests.support.members import read_all, sees, values_in

AT_ENDS = ["committed", "aborted", "several markers", "nothing"]


def follow(driver: Driver, reader: Reader, count: int, found: list[Record]) -> None:
    """Read on until there are so many."""
    driver.eventually(lambda: len(found) >= count, lambda: found.extend(reader.poll(TURN, 1_000)))


@pytest.mark.parametrize("end", AT_ENDS)
def test_a_reader_comes_to_the_end_whatever_lies_there(driver: Driver, cluster: Cluster, end: str) -> None:
    name = topic(driver, 1)
    match end:
        case "committed":
            commit(driver, to(name, 0, b"a", b"b"))
        case "aborted":
            commit(driver, to(name, 0, b"a", b"b"))
            abort(driver, numbered(name, 0, range(500)))
        case "several markers":
            commit(driver, to(name, 0, b"a", b"b"))
            for _ in range(3):
                abort(driver, to(name, 0, b"x"))
    sees(driver, name, [] if end == "nothing" else [b"a", b"b"])
    reader = cluster.reader()
    reader.assign({TopicPartition(name, 0): None})
    driver.eventually(lambda: bool(reader.ended()), lambda: reader.poll(TURN, 1_000))
    assert reader.ended() == {TopicPartition(name, 0)}
    reader.close()


def test_a_reader_says_that_it_has_read_past_markers_and_aborted_records(driver: Driver, cluster: Cluster) -> None:
    """So that a position can be held against an end offset."""
    name = topic(driver, 2)
    at = TopicPartition(name, 0)
    commit(driver, to(name, 0, b"a", b"b"))
    abort(driver, numbered(name, 0, range(5)))
    admin = cluster.admin()
    driver.eventually(lambda: admin.end_offsets([at])[at] == 9, lambda: None)
    reader = cluster.reader()
    reader.assign({at: None})
    assert reader.positions() == {}
    driver.eventually(lambda: reader.positions().get(at) == 9, lambda: reader.poll(TURN, 1_000))
    reader.close()


def test_a_reader_has_not_read_past_a_transaction_that_is_open(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    at = TopicPartition(name, 0)
    commit(driver, to(name, 0, b"a"))
    open_one = driver.open(unique("open"), to(name, 0, b"b"))
    sees(driver, name, [b"a"])
    reader = cluster.reader()
    reader.assign({at: None})
    found: list[Record] = []
    driver.eventually(lambda: bool(reader.ended()) and bool(found), lambda: found.extend(reader.poll(TURN, 1_000)))
    assert reader.positions()[at] <= 2
    open_one.commit()
    follow(driver, reader, 2, found)
    driver.eventually(lambda: reader.positions()[at] == 4, lambda: reader.poll(TURN, 1_000))
    reader.close()


def test_a_reader_follows_what_is_written_after_it_came_to_the_end(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 2)
    reader = cluster.reader()
    reader.assign(dict.fromkeys(places(name, 2)))
    found: list[Record] = []
    for part in range(5):
        commit(driver, [*numbered(name, 0, range(part * 10, part * 10 + 10)), *to(name, 1, b"%d" % part)])
        follow(driver, reader, (part + 1) * 11, found)
    assert [r.value for r in found if r.partition == 0] == [b"%d" % n for n in range(50)]
    assert [r.value for r in found if r.partition == 1] == [b"%d" % n for n in range(5)]
    reader.close()


def test_a_reader_begins_at_the_offset_it_is_given(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    for part in range(3):
        commit(driver, numbered(name, 0, range(part * 10, part * 10 + 10)))
    sees(driver, name, [b"%d" % n for n in range(30)])
    reader = cluster.reader()
    for start, first in ((0, 0), (5, 5), (10, 10), (11, 10), (31, 29), (5, 5)):
        reader.assign({TopicPartition(name, 0): start})
        found: list[Record] = []
        follow(driver, reader, 30 - first, found)
        assert [r.value for r in found] == [b"%d" % n for n in range(first, 30)]
    reader.close()


def test_a_reader_assigned_anew_forgets_what_it_read_before(driver: Driver, cluster: Cluster) -> None:
    first, second = topic(driver, 1), topic(driver, 1)
    commit(driver, [*numbered(first, 0, range(100)), *to(second, 0, b"only")])
    sees(driver, second, [b"only"])
    reader = cluster.reader()
    reader.assign({TopicPartition(first, 0): None})
    reader.poll(0.5, 10)
    reader.assign({TopicPartition(second, 0): None})
    assert reader.positions() == {}
    found: list[Record] = []
    driver.eventually(lambda: bool(reader.ended()) and bool(found), lambda: found.extend(reader.poll(TURN, 1_000)))
    assert [r.value for r in found] == [b"only"]
    assert reader.ended() == {TopicPartition(second, 0)}
    reader.assign({})
    assert reader.poll(0, 10) == []
    assert reader.ended() == frozenset()
    reader.close()


def test_whatever_bytes_a_record_has_come_back(driver: Driver, cluster: Cluster) -> None:
    name = topic(driver, 1)
    headers = [("text", "ünïcode".encode()), ("bytes", bytes(range(256))), ("twice", b"1"), ("twice", b"2"), ("", b"")]
    written = [
        Outgoing(name, 0, None, b"no key", []),
        Outgoing(name, 0, b"no value", None, []),
        Outgoing(name, 0, None, None, headers),
        Outgoing(name, 0, b"", b"", headers),
        Outgoing(name, 0, bytes(range(256)), bytes(range(256)), []),
    ]
    cluster.producer(unique("producer")).transact(written, {}, None)
    driver.eventually(lambda: len(values_in(driver, name)) == len(written), lambda: None)
    found = read_all(driver, name, 1)
    assert [(r.key, r.value, r.headers) for r in found] == [(w.key, w.value, w.headers) for w in written]


def test_compaction_keeps_the_last_value_of_each_key(driver: Driver) -> None:
    config = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001",
        "delete.retention.ms": "0",
        "message.timestamp.type": "LogAppendTime",
    }
    name = topic(driver, 1, config)

    def write(key: bytes, value: bytes | None) -> None:
        commit(driver, [Outgoing(name, 0, key, value, [])])

    for number in range(5):
        for key in (b"a", b"b", b"c"):
            write(key, b"%d" % number)
    abort(driver, [Outgoing(name, 0, b"b", b"aborted", [])])

    def clean() -> None:
        write(b"last", b"rolls the segment")
        driver.clean(name)

    def left() -> list[tuple[bytes | None, bytes | None]]:
        return [(r.key, r.value) for r in read_all(driver, name, 1) if r.key != b"last"]

    driver.eventually(lambda: left() == [(key, b"4") for key in (b"a", b"b", b"c")], clean)
