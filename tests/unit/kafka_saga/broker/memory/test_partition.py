"""A partition in memory: offsets, markers, what is visible, compaction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.broker.memory.partition import Partition, State, Transaction
from kafka_saga.broker.records import Outgoing


def outgoing(key: bytes, value: bytes | None = b"v") -> Outgoing:
    return Outgoing("topic", 0, key, value, [])


def visible(partition: Partition, offset: int = 0) -> list[int]:
    return [record.offset for record in partition.visible_from(offset)]


def test_a_record_carries_its_place_and_the_time_of_its_append() -> None:
    partition = Partition("topic", 3)
    partition.append(outgoing(b"a"), 5)
    record = partition.append(outgoing(b"b"), 7)
    assert (record.topic, record.partition, record.offset, record.timestamp) == ("topic", 3, 1, 7)


def test_a_marker_takes_an_offset() -> None:
    partition, transaction = Partition("topic", 0), Transaction()
    partition.append(outgoing(b"a"), 0, transaction)
    partition.mark(transaction, State.COMMITTED)
    partition.append(outgoing(b"b"), 0)
    assert visible(partition) == [0, 2]
    assert partition.end == 3


def test_an_open_transaction_hides_what_comes_after_its_first_record() -> None:
    partition, early, late = Partition("topic", 0), Transaction(), Transaction()
    partition.append(outgoing(b"a"), 0)
    partition.append(outgoing(b"b"), 0, early)
    partition.append(outgoing(b"c"), 0, late)
    partition.mark(late, State.COMMITTED)
    assert (partition.last_stable, visible(partition)) == (1, [0])
    partition.mark(early, State.ABORTED)
    assert (partition.last_stable, visible(partition)) == (5, [0, 2])


def test_a_record_in_the_middle_of_gaps_is_found_from_any_offset() -> None:
    partition = Partition("topic", 0)
    for key in (b"a", b"b", b"a", b"b", b"c"):
        partition.append(outgoing(key), 0)
    partition.compact()
    assert [visible(partition, offset) for offset in range(6)] == [[2, 3, 4], [2, 3, 4], [2, 3, 4], [3, 4], [4], []]


def test_compaction_leaves_undecided_records_alone() -> None:
    partition, transaction = Partition("topic", 0), Transaction()
    partition.append(outgoing(b"a", b"old"), 0)
    partition.append(outgoing(b"a", b"open"), 0, transaction)
    partition.compact()
    assert visible(partition) == [0]
    partition.mark(transaction, State.COMMITTED)
    assert visible(partition) == [0, 1]
    partition.compact()
    assert visible(partition) == [1]


@given(st.lists(st.tuples(st.sampled_from(b"abc"), st.booleans(), st.booleans()), max_size=30))
def test_compaction_keeps_what_the_last_records_say(writes: list[tuple[int, bool, bool]]) -> None:
    partition = Partition("topic", 0)
    for number, (key, is_committed, in_transaction) in enumerate(writes):
        transaction = Transaction()
        if in_transaction:
            partition.append(outgoing(bytes([key]), b"%d" % number), 0, transaction)
            partition.mark(transaction, State.COMMITTED if is_committed else State.ABORTED)
        else:
            partition.append(outgoing(bytes([key]), b"%d" % number), 0)
    before = {record.key: (record.offset, record.value) for record in partition.visible_from(0)}
    partition.compact()
    after = [(record.key, (record.offset, record.value)) for record in partition.visible_from(0)]
    assert dict(after) == before
    assert len(after) == len(before)
