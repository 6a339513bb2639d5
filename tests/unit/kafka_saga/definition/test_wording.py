"""Durations read as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kafka_saga.definition.durations import days, hours, milliseconds, minutes, seconds
from kafka_saga.definition.wording import duration, listed


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (seconds(0), "0 s"),
        (milliseconds(500), "0.5 s"),
        (seconds(90), "1 min 30 s"),
        (minutes(60), "1 h"),
        (days(1) + hours(2) + seconds(3), "1 d 2 h 3 s"),
        (-minutes(5), "-5 min"),
        (timedelta.min, "-999999999 d"),
    ],
)
def test_a_duration_is_said_in_its_largest_units(length: timedelta, said: str) -> None:
    assert duration(length) == said


def test_names_are_listed() -> None:
    assert [listed(("a",)), listed(("a", "b")), listed(("a", "b", "c"))] == ["a", "a and b", "a, b and c"]
