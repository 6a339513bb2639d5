"""Entries of wide scopes: what is remembered of their pauses, and for how long."""

from __future__ import annotations

from kafka_saga.tracker.control_entries import DAY, MAX_FROZEN, REMEMBERED, forgotten_at, paused, resumed
from kafka_saga.wire.control import ControlEntry, Hold, encode

HOUR = 3_600_000


def pauses(spans: list[tuple[int, int]]) -> ControlEntry:
    """The entry of a scope that was paused and resumed so often."""
    entry: ControlEntry | None = None
    for begin, end in spans:
        entry = resumed(paused(entry, 1, Hold("ann", "", begin)), 2, Hold("bob", "done", end))
    assert entry is not None
    return entry


def test_a_scope_remembers_who_resumed_it_and_its_pauses_of_the_last_30_days() -> None:
    entry = pauses([(0, HOUR), (REMEMBERED, REMEMBERED + 2 * HOUR)])
    assert entry.frozen == ((REMEMBERED, REMEMBERED + 2 * HOUR),)
    assert entry.resumed == Hold("bob", "done", REMEMBERED + 2 * HOUR)


def test_a_scope_that_is_paused_again_and_again_stays_small_and_loses_no_paused_time() -> None:
    spans = [(number * 100, number * 100 + 50 + number % 7) for number in range(10_000)]
    entry = pauses(spans)
    assert len(entry.frozen) == MAX_FROZEN
    assert len(encode(entry)) < 10_000
    assert sum(end - begin for begin, end in entry.frozen) >= sum(end - begin for begin, end in spans)
    assert (entry.frozen[0][0], entry.frozen[-1][1]) == (spans[0][0], spans[-1][1])


def test_only_what_holds_nothing_up_is_forgotten_and_deadlines_need_it_longer() -> None:
    entry = pauses([(0, HOUR)])
    assert forgotten_at("prefix:acme/", entry) == HOUR + DAY
    assert forgotten_at("step:order/payment", entry) == HOUR + REMEMBERED
    assert forgotten_at("prefix:acme/", ControlEntry(1, paused=Hold("ann", "", 0))) is None
