"""As of when a worker knows everything."""

from __future__ import annotations

from kafka_saga.views.position import Positions


def positions() -> Positions:
    found = Positions()
    found.begin({0, 1})
    return found


def test_nothing_is_known_at_first() -> None:
    assert positions().as_of(0) == 0


def test_a_worker_that_has_read_to_the_end_knows_everything_until_then() -> None:
    found = positions()
    found.read_to_the_end(0, 5_000)
    assert (found.as_of(0), found.behind({0}, 7_500)) == (5_000, 2.5)


def test_while_records_wait_everything_before_the_oldest_is_known() -> None:
    found = positions()
    for offset, at in ((3, 6_000), (4, 7_000)):
        found.fetched(0, offset, at)
    assert found.as_of(0) == 6_000
    found.folded(0, 3)
    assert (found.as_of(0), found.waiting) == (7_000, 1)


def test_a_fetch_that_found_the_end_says_nothing_while_records_wait() -> None:
    found = positions()
    found.fetched(0, 3, 6_000)
    found.read_to_the_end(0, 9_000)
    assert found.as_of(0) == 6_000
    found.folded(0, 3)
    found.read_to_the_end(0, 9_000)
    assert found.as_of(0) == 9_000


def test_an_old_record_does_not_make_a_worker_forget_what_it_knew() -> None:
    found = positions()
    found.read_to_the_end(0, 9_000)
    found.fetched(0, 3, 6_000)
    assert found.as_of(0) == 9_000


def test_of_several_partitions_the_one_that_is_furthest_behind_counts() -> None:
    found = positions()
    found.read_to_the_end(0, 9_000)
    found.read_to_the_end(1, 6_000)
    assert found.behind({0, 1}, 10_000) == 4
    assert found.behind((), 10_000) == 0


def test_a_broker_whose_clock_is_ahead_puts_nobody_before_the_log() -> None:
    found = positions()
    found.read_to_the_end(0, 9_000)
    assert found.behind({0}, 8_000) == 0


def test_records_that_are_read_again_wait_once() -> None:
    found = positions()
    for offset in (3, 4, 5, 4, 5):
        found.fetched(0, offset, offset * 1_000)
    assert found.waiting == 3


def test_what_was_fetched_before_partitions_were_shared_out_does_not_wait_any_more() -> None:
    found = positions()
    found.fetched(0, 3, 6_000)
    found.fetched(1, 3, 6_000)
    found.read_to_the_end(1, 5_000)
    found.begin({1, 2})
    assert (found.waiting, found.as_of(0), found.as_of(1), found.as_of(2)) == (0, 0, 0, 0)
