"""The offset tracker: which records are done, and that its metadata says it exactly to the next owner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.broker.records import Committed
from kafka_saga.engine.offset_tracker import MAX_ENDED, MAX_UNFINISHED, OffsetTracker, Position, decode, encode

OFFSETS = st.integers(0, 2**43)
CRASHES = st.integers(0, 3)


@given(st.dictionaries(OFFSETS, CRASHES, max_size=MAX_UNFINISHED), st.integers(0, 2**62), st.booleans())
def test_a_position_survives_its_metadata(unfinished: dict[int, int], following: int, clean: bool) -> None:
    position = Position(following, unfinished, clean)

    assert decode(Committed(0, encode(position))) == position


@given(st.sets(st.integers(0, 2**43), min_size=MAX_UNFINISHED, max_size=MAX_UNFINISHED))
def test_the_most_unfinished_offsets_stay_below_kafkas_limit(unfinished: set[int]) -> None:
    assert len(encode(Position(2**43, dict.fromkeys(unfinished, 3)))) < 3_500


def test_offsets_as_far_apart_as_a_partition_of_trillions_allows_stay_below_it_too() -> None:
    spread = {2**62 + number * (2**43 // MAX_UNFINISHED): 3 for number in range(MAX_UNFINISHED)}

    assert len(encode(Position(2**63 - 1, spread))) < 3_500


@given(st.text(max_size=40) | st.from_regex(r"1\|[cr]\|\d{1,5}\|[A-Za-z0-9+/=]{0,20}", fullmatch=True), OFFSETS)
def test_metadata_that_is_not_ours_means_everything_from_the_committed_offset_on(text: str, offset: int) -> None:
    position = decode(Committed(offset, text))

    assert position.next >= 0
    assert position == Position(offset, {}) or text.startswith("1|")


@pytest.mark.parametrize("text", ["", "1|r|5|", "1|c|5|", "2|r|9|", "1|r|x|", "1|r|5|/w==", "1|r|5|!", "a|b|c|d|e"])
def test_known_and_foreign_metadata(text: str) -> None:
    expected = {"1|r|5|": Position(5, {}), "1|c|5|": Position(5, {}, clean=True)}

    assert decode(Committed(3, text)) == expected.get(text, Position(3, {}))


def test_nothing_is_committed_before_anything_was_delivered() -> None:
    assert OffsetTracker().committed() is None


def test_the_committed_offset_is_the_lowest_unfinished_one() -> None:
    offset_tracker = delivered(10, 12, 15, 16)
    offset_tracker.finish(10)
    offset_tracker.finish(15)

    committed = offset_tracker.committed()

    assert committed is not None
    assert committed.offset == 12
    assert decode(committed) == Position(17, {12: 0, 16: 0})


def test_with_everything_done_it_is_one_past_the_last_delivered() -> None:
    offset_tracker = delivered(10, 12)
    offset_tracker.finish(12)
    offset_tracker.finish(10)

    assert offset_tracker.committed(clean=True) == Committed(13, "1|c|13|")


def test_others_may_be_left_open() -> None:
    offset_tracker = delivered(1, 2)
    offset_tracker.finish(1)
    offset_tracker.finish(2)

    committed = offset_tracker.committed(but=[1])

    assert committed is not None
    assert decode(committed) == Position(3, {1: 0})


def test_a_restored_ledger_awaits_what_is_listed_and_refuses_what_is_done() -> None:
    offset_tracker = OffsetTracker.restored(Committed(5, encode(Position(9, {5: 0, 7: 0}))))

    assert [offset_tracker.deliver(offset) for offset in (5, 6, 7, 7, 8, 9)] == [True, False, True, False, False, True]


def test_listed_records_that_have_left_the_topic_are_forgotten() -> None:
    offset_tracker = OffsetTracker.restored(Committed(5, encode(Position(9, {5: 0, 7: 0}))))
    offset_tracker.deliver(7)
    offset_tracker.deliver(11)
    offset_tracker.finish(7)
    offset_tracker.finish(11)

    assert offset_tracker.committed() == Committed(12, "1|r|12|")


def test_what_is_not_delivered_here_is_not_had() -> None:
    offset_tracker = OffsetTracker.restored(Committed(5, encode(Position(9, {5: 0}))))

    assert offset_tracker.is_unfinished(5)
    assert not offset_tracker.is_unfinished(6)
    assert offset_tracker.is_unfinished(9)
    assert not offset_tracker.has(5)
    offset_tracker.deliver(5)
    assert offset_tracker.has(5)


def test_a_ledger_takes_so_many_and_is_full() -> None:
    offset_tracker = delivered(*range(MAX_UNFINISHED - 1))
    assert not offset_tracker.is_full
    offset_tracker.deliver(MAX_UNFINISHED)
    assert offset_tracker.is_full
    offset_tracker.finish(3)
    offset_tracker.settle(3)
    assert not offset_tracker.is_full


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.lists(st.integers(0, 39)),
    st.lists(st.integers(0, 39)),
)
def test_whoever_restores_what_was_committed_works_on_the_unfinished_ones_only(
    gaps: list[int], done: list[int], settled: list[int]
) -> None:
    offsets = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    offset_tracker = delivered(*offsets)
    finished = {offsets[place] for place in done if place < len(offsets)}
    for offset in finished:
        offset_tracker.finish(offset)
    for offset in sorted({offsets[place] for place in settled if place < len(offsets)} & finished):
        offset_tracker.settle(offset)

    committed = offset_tracker.committed()
    assert committed is not None
    restored = OffsetTracker.restored(committed)

    again = [offset for offset in offsets if offset >= committed.offset and restored.deliver(offset)]
    assert again == [offset for offset in offsets if offset not in finished]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.sets(st.integers(0, 39)),
    st.sets(st.integers(0, 39)),
    st.sets(st.integers(0, 39)),
)
def test_what_is_held_back_comes_again_to_whoever_restores(
    gaps: list[int], done: set[int], back: set[int], settled: set[int]
) -> None:
    offsets = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    offset_tracker = delivered(*offsets)
    finished = {offsets[place] for place in done if place < len(offsets)}
    held = {offsets[place] for place in back if place < len(offsets)} & finished
    for offset in finished:
        offset_tracker.finish(offset)
    for offset in {offsets[place] for place in settled if place < len(offsets)} & finished - held:
        offset_tracker.settle(offset)

    committed = offset_tracker.committed(but=held)
    assert committed is not None
    restored = OffsetTracker.restored(committed)

    again = [offset for offset in offsets if offset >= committed.offset and restored.deliver(offset)]
    assert again == [offset for offset in offsets if offset not in finished - held]


def test_of_thousands_that_are_held_back_above_one_none_is_listed() -> None:
    offset_tracker = OffsetTracker(room=MAX_ENDED)
    for offset in range(MAX_ENDED):
        offset_tracker.deliver(offset)
        offset_tracker.finish(offset)

    assert offset_tracker.committed(but=range(1, MAX_ENDED)) == Committed(1, encode(Position(1, {})))


def test_a_ledger_that_was_full_takes_its_own_records_again() -> None:
    committed = delivered(*range(MAX_UNFINISHED)).committed()
    restored = OffsetTracker.restored(committed)

    for offset in range(MAX_UNFINISHED):
        assert not restored.is_full
        assert restored.deliver(offset)
    assert restored.is_full


def delivered(*offsets: int) -> OffsetTracker:
    offset_tracker = OffsetTracker()
    for offset in offsets:
        assert offset_tracker.deliver(offset)
    return offset_tracker
