from __future__ import annotations

import pytest

from kafka_saga.console import words


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(None, ""), (-5, "0 ms"), (340, "340 ms"), (4_200, "4.2 s"), (720_000, "12 min"), (12_000_000, "3 h 20 min"),
     (187_200_000, "2 d 4 h")],
)  # fmt: skip
def test_a_duration_is_said_as_people_say_it(milliseconds: int | None, said: str) -> None:
    assert words.duration(milliseconds) == said


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x7f", "\u2028", "\ud800", "\u061c"])
def test_what_hides_or_reorders_text_is_shown_by_its_number(sign: str) -> None:
    assert words.visible(f"a{sign}b") == f"a⟨U+{ord(sign):04X}⟩b"


def test_text_that_hides_nothing_stays_as_it_is() -> None:
    text = "Grüße, 你好\n\t☃ <b>"
    assert words.visible(text) == text


def test_a_time_that_is_none_is_shown_as_it_came() -> None:
    assert words.moment("soon") == "soon"
    assert words.moment("2026-01-31T12:00:00.250Z") == "2026-01-31 12:00:00 UTC"
    assert words.clock("2026-01-31T12:00:00.250Z") == "12:00:00.250"


def test_an_unknown_status_has_a_calm_tone_and_an_icon() -> None:
    assert (words.tone("brand_new"), words.mark("brand_new")) == ("calm", "dot")
