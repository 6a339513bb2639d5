"""A partition stands still when more than half of its last thousand records, and at least 500, are dead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.dlq_breaker import LEAST, WINDOW, DeadLetterBreaker

HERE, THERE = TopicPartition("a", 0), TopicPartition("a", 1)


def noted(*runs: tuple[int, bool]) -> DeadLetterBreaker:
    quarantine, seen = DeadLetterBreaker(), 0
    for number, is_dead in runs:
        for _ in range(number):
            seen += 1
            if is_dead:
                quarantine.note_dead(HERE, seen)
    return quarantine


@pytest.mark.parametrize(
    ("runs", "holds"),
    [
        ([(LEAST - 1, True)], False),
        ([(LEAST, True)], True),
        ([(499, False), (LEAST, True)], True),
        ([(LEAST, False), (LEAST, True)], False),
        ([(LEAST, False), (LEAST + 1, True)], True),
        ([(10_000, False), (LEAST, True)], False),
        ([(10_000, False), (LEAST + 1, True)], True),
        ([(300, True), (WINDOW, False), (300, True)], False),
    ],
)
def test_when_a_partition_stands_still(runs: list[tuple[int, bool]], holds: bool) -> None:
    assert noted(*runs).holds(HERE) is holds


def test_other_partitions_go_on() -> None:
    quarantine = noted((LEAST, True))

    assert quarantine.partitions() == (HERE,)
    assert not quarantine.holds(THERE)


@given(st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=8))
def test_it_is_what_counting_says(runs: list[tuple[int, bool]]) -> None:
    quarantine, seen = DeadLetterBreaker(), list[bool]()
    for number, is_dead in runs:
        for _ in range(number):
            seen.append(is_dead)
            if is_dead:
                quarantine.note_dead(HERE, len(seen))
            window = seen[-WINDOW:]
            if quarantine.holds(HERE):
                assert sum(window) >= LEAST
                assert sum(window) * 2 > len(window)
                return
            assert not (is_dead and sum(window) >= LEAST and sum(window) * 2 > len(window))
