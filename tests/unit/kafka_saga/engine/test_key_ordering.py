"""KeyOrdering: one at a time per key, in the order of arrival, and no more at once than there are places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.engine.key_ordering import KeyOrdering
from kafka_saga.engine.work import Delivery, Mode
from tests.unit.kafka_saga.engine.given import delivery


def test_the_first_of_a_key_starts_at_once_and_the_second_when_the_first_has_ended() -> None:
    lanes, first, second = KeyOrdering(16), delivery(0), delivery(1)

    assert lanes.enter(first)
    assert not lanes.enter(second)
    assert lanes.next() is None
    lanes.leave(first)
    assert lanes.next() is second


def test_other_keys_and_the_same_key_in_another_partition_go_side_by_side() -> None:
    lanes = KeyOrdering(16)

    assert lanes.enter(delivery(0, b"a"))
    assert lanes.enter(delivery(1, b"b"))
    assert lanes.enter(delivery(0, b"a", partition=1))


def test_with_all_places_taken_others_wait_but_inline_ones() -> None:
    lanes, first, second = KeyOrdering(1), delivery(0, b"a"), delivery(1, b"b")

    assert lanes.enter(first)
    assert not lanes.enter(second)
    assert lanes.enter(delivery(2, b"c", Mode.INLINE))
    assert lanes.next() is None
    lanes.leave(first)
    assert lanes.next() is second


def test_what_has_left_without_having_run_comes_back_in_its_order_before_what_waits() -> None:
    lanes, deliveries = KeyOrdering(16), [delivery(number) for number in range(5)]
    for one in deliveries[:4]:
        lanes.enter(one)
    for before, after in ((0, 1), (1, 2)):
        lanes.leave(deliveries[before])
        assert lanes.next() is deliveries[after]

    lanes.put_back(deliveries[:2])
    lanes.enter(deliveries[4])

    for before, after in ((2, 0), (0, 1), (1, 3), (3, 4)):
        lanes.leave(deliveries[before])
        assert lanes.next() is deliveries[after]


def test_what_comes_back_to_a_key_of_which_nothing_runs_is_ready_in_its_order() -> None:
    lanes, first, second, other = KeyOrdering(1), delivery(0, b"a"), delivery(1, b"a"), delivery(2, b"b")

    lanes.put_back([first, second, other])

    assert lanes.next() is first
    assert lanes.next() is None  # all places are taken
    lanes.leave(first)
    assert {lanes.next(), lanes.next()} == {other, None}
    lanes.leave(other)
    assert lanes.next() is second


def test_what_has_not_started_is_forgotten_and_what_runs_keeps_its_lane() -> None:
    lanes, running = KeyOrdering(1), delivery(0, b"a")
    lanes.enter(running)
    lanes.enter(delivery(1, b"a"))
    lanes.enter(delivery(2, b"b"))
    lanes.keep_running()

    again = delivery(1, b"a")
    assert not lanes.enter(again)
    lanes.leave(running)
    assert lanes.next() is again
    lanes.leave(again)
    assert lanes.enter(delivery(2, b"b"))


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([Mode.INLINE, Mode.ASYNC])), max_size=40),
    st.integers(1, 3),
    st.data(),
)
def test_every_key_keeps_its_order_and_everything_starts(
    arrivals: list[tuple[bytes, Mode]], places: int, data: st.DataObject
) -> None:
    lanes, running, started = KeyOrdering(places), list[Delivery](), list[Delivery]()

    def start(one: Delivery) -> None:
        running.append(one)
        started.append(one)
        assert len({each.lane for each in running}) == len(running)
        assert sum(each.job.mode is Mode.ASYNC for each in running) <= places

    for offset, (key, mode) in enumerate(arrivals):
        one = delivery(offset, key, mode)
        if lanes.enter(one):
            start(one)
        if data.draw(st.integers(0, 1)) and running:
            lanes.leave(running.pop(data.draw(st.integers(0, len(running) - 1))))
        while (ready := lanes.next()) is not None:
            start(ready)
    while running:
        lanes.leave(running.pop())
        while (ready := lanes.next()) is not None:
            start(ready)

    assert len(started) == len(arrivals)
    for key in {key for key, _ in arrivals}:
        offsets = [one.record.offset for one in started if one.record.key == key]
        assert offsets == sorted(offsets)
