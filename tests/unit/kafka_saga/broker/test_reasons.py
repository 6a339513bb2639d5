"""Reasons: whatever a handler says becomes text that headers, reports and terminals can carry."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.broker.reasons import MAX_REASON, MAX_RETRY_AFTER, milliseconds, sound


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@given(st.text())
def test_any_text_becomes_utf_8_of_bounded_length(text: str) -> None:
    assert len(sound(text).encode("utf-8").decode()) >= len(text)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("plain\ttext\nof lines", "plain\ttext\nof lines"),
        ("half \udcff", "half \\udcff"),
        ("red \x1b[31m", "red �[31m"),
        ("nul \0", "nul �"),
        (None, "None"),
        (ValueError("why"), "why"),
        (MuteError(), "a MuteError that cannot be printed"),
    ],
)
def test_what_reasons_become(reason: object, text: str) -> None:
    assert sound(reason) == text


def test_long_reasons_are_cut() -> None:
    assert sound("x" * 20_000).endswith("x…")
    assert len(sound("x" * 20_000)) == MAX_REASON


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, None),
        ("soon", None),
        (math.nan, None),
        (-1, 0),
        (0.0015, 2),
        (2.5, 2_500),
        (math.inf, MAX_RETRY_AFTER * 1000),
    ],
)
def test_waits_are_whole_milliseconds(seconds: object, expected: int | None) -> None:
    assert milliseconds(seconds) == expected
