"""What may not stand in words of others: it would not be seen, and change what is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.wire.wording import LINE_PATTERN, PROSE_PATTERN, line, prose

STRAY = ["\0", "\x1b", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800", "\udfff"]


@pytest.mark.parametrize("text", ["a", " acme/shop# ", "\u00fc\u0634\u4e2d", "\U0001f468\u200d\U0001f4bb", "a\u00a0b"])
def test_text_that_is_seen_is_taken_as_it_is(text: str) -> None:
    assert line(text) == prose(text) == text


@pytest.mark.parametrize("stray", [*STRAY, "\n", "\t"], ids=ascii)
def test_what_is_not_seen_is_refused_in_a_line_with_its_name_and_place(stray: str) -> None:
    with pytest.raises(ValueError, match=rf"has U\+{ord(stray):04X} \(.+\) at character 3: leave it out"):
        line(f"ab{stray}c")


@pytest.mark.parametrize("stray", STRAY, ids=ascii)
def test_prose_has_lines_and_tabs_and_nothing_else_that_is_not_seen(stray: str) -> None:
    assert prose("one\n\ttwo") == "one\n\ttwo"
    assert not prose("")
    with pytest.raises(ValueError, match="leave it out"):
        prose(f"one\n{stray}")


@pytest.mark.parametrize("text", ["", " ", "\u00a0\u3000", "\u200b", " \ufeff\u00ad "], ids=ascii)
def test_a_line_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is empty"):
        line(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_the_patterns_of_the_document_take_what_is_taken(text: str) -> None:
    for rule, pattern in ((line, LINE_PATTERN), (prose, PROSE_PATTERN)):
        try:
            is_taken = rule(text) == text
        except ValueError:
            is_taken = False
        assert is_taken is (re.fullmatch(pattern.removesuffix("$"), text) is not None)
