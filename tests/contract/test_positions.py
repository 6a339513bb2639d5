"""Where consumers begin, and what pausing does: nothing is lost, nothing comes twice."""

from __future__ import annotations

import pytest

from kafka_saga.broker.records import TopicPartition
from tests.support.driver import Driver, abort, commit, numbered, places, to, topic, unique
from tests.support.members import Member, joined

WRITTEN = 300
"""Records of each partition: thirty transactions of ten, a marker after each, every third one aborted."""


@pytest.fixture(scope="module")
def offsets() -> list[int]:
    """The offsets of the records that are visible in a partition written by `written`."""
    return [part * 11 + record for part in range(30) if part % 3 != 1 for record in range(10)]


def written(driver: Driver, partitions: int = 3) -> str:
    """A topic with records, markers and aborted records in each partition."""
    name = topic(driver, partitions)
    for part in range(30):
        records = [r for p in range(partitions) for r in numbered(name, p, range(part * 10, part * 10 + 10))]
        (abort if part % 3 == 1 else commit)(driver, records)
    return name


def test_a_partition_assigned_at_an_offset_is_read_from_exactly_there(driver: Driver, offsets: list[int]) -> None:
    """In the middle of a transaction, on a marker (10, 32), on an aborted record (15), at the end, beyond nothing."""
    name, group = written(driver), unique("group")
    for starts in ((0, 5, 10), (11, 15, 21), (22, 32, 33), (100, 150, 200), (328, 329, 330), (7, 319, 327)):
        member = Member(driver, unique(group), [name])
        member.starts_at = dict(zip(places(name, 3), starts, strict=True))
        wanted = {at: [o for o in offsets if o >= start] for at, start in member.starts_at.items()}
        driver.eventually(lambda m=member, w=wanted: len(m.records) >= sum(map(len, w.values())), member.turn)  # type: ignore[misc]
        for _ in range(3):
            member.turn()
        assert {at: read(member, at) for at in wanted} == wanted
        member.consumer.close()


def test_a_partition_assigned_stays_paused_until_it_is_resumed(driver: Driver, offsets: list[int]) -> None:
    name = written(driver)
    member = Member(driver, unique("group"), [name], resumes=False)
    driver.eventually(lambda: member.assigned is not None, member.turn)
    for _ in range(10):
        member.turn()
    assert member.records == []
    for number, at in enumerate(places(name, 3), 1):
        member.consumer.resume([at])
        driver.eventually(lambda n=number: len(member.records) >= n * len(offsets), member.turn)  # type: ignore[misc]
        assert read(member, at) == offsets
    member.consumer.close()


def test_pausing_and_resuming_loses_and_repeats_nothing(driver: Driver, offsets: list[int]) -> None:
    """Small polls leave fetched records in the client, which a pause throws away."""
    name = written(driver)
    member = joined(driver, unique("group"), name)
    wanted = len(offsets) * 3
    turn = 0

    def poll_few_and_pause() -> None:
        nonlocal turn
        member.records += member.consumer.poll(0.1, 7)
        at = places(name, 3)[turn % 3]
        member.consumer.pause([at])
        if turn % 2:
            member.records += member.consumer.poll(0, 3)
        member.consumer.resume([at])
        turn += 1

    driver.eventually(lambda: len(member.records) >= wanted, poll_few_and_pause)
    assert {at: read(member, at) for at in places(name, 3)} == dict.fromkeys(places(name, 3), offsets)
    member.consumer.close()


def test_a_paused_partition_delivers_nothing_and_the_others_go_on(driver: Driver, offsets: list[int]) -> None:
    name = written(driver, 2)
    first, second = places(name, 2)
    member = joined(driver, unique("group"), name)
    member.consumer.pause([first])
    before = len(read(member, first))
    driver.eventually(lambda: len(read(member, second)) == len(offsets), member.turn)
    for _ in range(3):
        member.turn()
    assert len(read(member, first)) == before
    member.consumer.resume([first])
    driver.eventually(lambda: len(read(member, first)) == len(offsets), member.turn)
    assert read(member, first) == offsets
    member.consumer.close()


def test_a_consumer_says_how_far_it_has_read_markers_and_aborted_records_included(driver: Driver) -> None:
    """As a reader does: the last ten records are aborted, and a marker follows."""
    name = written(driver, 1)
    abort(driver, numbered(name, 0, range(10)))
    at = TopicPartition(name, 0)
    end = driver.cluster.admin().end_offsets
    member = Member(driver, unique("group"), [name], resumes=False)
    driver.eventually(lambda: member.assigned is not None, member.turn)
    assert member.consumer.positions() == {}
    member.consumer.resume([at])
    driver.eventually(lambda: member.consumer.positions().get(at) == end([at])[at] == 341, member.turn)
    commit(driver, to(name, 0, b"more"))
    driver.eventually(lambda: b"more" in member.values(), member.turn)
    driver.eventually(lambda: member.consumer.positions()[at] == 343, member.turn)
    member.consumer.close()


def test_a_consumer_has_not_read_past_a_transaction_that_is_open(driver: Driver) -> None:
    name = topic(driver, 1)
    at = TopicPartition(name, 0)
    commit(driver, to(name, 0, b"a"))
    open_one = driver.open(unique("open"), to(name, 0, b"b"))
    member = joined(driver, unique("group"), name)
    driver.eventually(lambda: len(member.records) == 1, member.turn)
    for _ in range(10):
        member.turn()
    assert member.consumer.positions()[at] <= 2
    open_one.commit()
    driver.eventually(lambda: member.consumer.positions()[at] == 4, member.turn)
    member.consumer.close()


def test_a_poll_returns_no_more_than_it_was_asked_for(driver: Driver, offsets: list[int]) -> None:
    name = written(driver, 1)
    member = joined(driver, unique("group"), name)
    driver.eventually(lambda: len(member.records) > 0, member.turn)
    member.consumer.pause(places(name, 1))
    member.records.clear()
    sizes: list[int] = []
    member.consumer.assign({TopicPartition(name, 0): 0})
    member.consumer.resume(places(name, 1))

    def poll_ten() -> None:
        found = member.consumer.poll(0.05, 10)
        sizes.append(len(found))
        member.records += found

    driver.eventually(lambda: len(member.records) >= len(offsets), poll_ten)
    assert max(sizes) <= 10
    assert read(member, TopicPartition(name, 0)) == offsets
    member.consumer.close()


def test_records_polled_before_a_rebalance_in_the_same_call_come_again_and_only_then(driver: Driver) -> None:
    """Whatever the assignment says has not been seen is seen; nothing of the old assignment is returned after it."""
    name, group = topic(driver, 2), unique("group")
    commit(driver, [*numbered(name, 0, range(50)), *numbered(name, 1, range(50))])
    first = joined(driver, group, name)
    driver.eventually(lambda: len(first.records) == 100, first.turn)
    marks: list[int] = []
    first.when_revoked = lambda _: marks.append(len(first.records))
    second = Member(driver, group, [name])
    commit(driver, [*to(name, 0, b"late"), *to(name, 1, b"late")])

    def turn() -> None:
        first.turn()
        second.turn()

    driver.eventually(lambda: len(first.assigned or ()) == len(second.assigned or ()) == 1, turn)
    driver.eventually(lambda: b"late" in first.values()[marks[0] :] and b"late" in second.values(), turn)
    kept = (first.assigned or ())[0]
    again = [r for r in first.records[marks[0] :] if (r.topic, r.partition) == kept]
    assert [record.value for record in again] == [*(b"%d" % n for n in range(50)), b"late"]
    assert second.values() == [*(b"%d" % n for n in range(50)), b"late"]
    first.when_revoked = lambda _: None
    first.consumer.close()
    second.consumer.close()


def read(member: Member, at: TopicPartition) -> list[int]:
    return [record.offset for record in member.records if (record.topic, record.partition) == at]
