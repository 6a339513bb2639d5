"""Timelines as SVG: bars that stay visible, words that stay within, and ticks that make sense."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.api.sagas import SpanKind
from kafka_saga.console.drawing import timeline
from kafka_saga.console.drawing.axis import Axis, tick
from kafka_saga.console.drawing.lanes import rows, stretches
from kafka_saga.console.drawing.timelines import LIMIT
from kafka_saga.console.drawing.widths import width
from tests.unit.kafka_saga.console.drawing.given import HOSTILE, NOW, SPANS, span
from tests.unit.kafka_saga.console.drawing.reading import page

DAY = 86_400_000


def test_attempts_retries_waits_compensations_and_pauses_have_their_own_classes_patterns_and_words() -> None:
    markup = timeline(SPANS, NOW)
    found = page(markup)
    for kind in SpanKind:
        assert any(f"kind-{kind} " in one for one in found.values("class"))
        assert kind is SpanKind.ATTEMPT or f"url(#draw-timeline-a-{kind})" in markup
    for words in ("paused, 15 min", "attempt 2 done, 8 min", "waiting to retry", "compensated", "queued"):
        assert words in found.texts


def test_what_still_lasts_is_open_and_ends_now() -> None:
    found = page(timeline(SPANS, NOW))
    assert "now" in found.texts
    assert "attempt 3 running, 29 min so far" in found.texts
    assert found.values("class").count("draw-open") == 2


def test_a_saga_that_has_ended_has_no_now() -> None:
    assert "now" not in page(timeline(SPANS[:1], NOW)).texts


def test_hostile_steps_and_notes_stay_text() -> None:
    hostile = span(HOSTILE, SpanKind.ATTEMPT, HOSTILE, 0, 5, error=HOSTILE, note=HOSTILE)
    assert "<script>" in page(timeline((hostile,), NOW)).text


def test_a_time_that_cannot_be_read_is_left_out() -> None:
    broken = SPANS[0].model_copy(update={"started_at": "yesterday"})
    assert "Nothing has happened yet." in page(timeline((broken,), NOW)).texts


def test_of_very_many_spans_the_latest_are_drawn_and_it_is_said() -> None:
    many = [span("step", SpanKind.ATTEMPT, "done", at, at + 1) for at in range(LIMIT + 7)]
    assert f"Only the latest {LIMIT} of {LIMIT + 7} spans are drawn." in page(timeline(many, NOW)).texts


@given(st.lists(st.tuples(st.integers(0, 30 * 86_400), st.integers(0, 86_400), st.sampled_from("ab")), min_size=1))
def test_bars_are_visible_within_the_axis_and_never_over_one_another(given: list[tuple[int, int, str]]) -> None:
    spans = [span(step, SpanKind.ATTEMPT, "done", start, start + length) for start, length, step in given]
    found = stretches(spans, NOW + timedelta(days=40))
    start = found[0].start
    axis = Axis(start, max(1, max(one.end for one in found) - start), 100, 900)
    for row in rows(found, axis):
        for lane in row.lanes:
            assert all(bar.width >= 4 and bar.x >= 100 and bar.end <= 1000.001 for bar in lane)
            assert all(one.end <= other.x + 0.001 for one, other in pairwise(lane))
    assert sum(len(lane) for row in rows(found, axis) for lane in row.lanes) == len(given)


def test_words_of_bars_stay_within_the_drawing() -> None:
    for svg in re.findall(r"<svg class=\"draw-svg\".*?</svg>", timeline(SPANS, NOW)):
        room = float(re.findall(r'viewBox="0 0 (\S+)', svg)[0])
        for x, words in re.findall(r'class="draw-(?:inside|beside)" x="([\d.]+)"[^>]*>([^<]*)<', svg):
            assert float(x) + width(words, 11) <= room


@given(st.integers(1, 4000 * DAY), st.integers(300, 1400))
def test_ticks_are_apart_and_begin_at_nothing(length: int, room: int) -> None:
    found = Axis(0, length, 0, room).ticks(80)
    assert found[0] == (0, "0")
    assert all(other[0] - one[0] >= 79.9 for one, other in pairwise(found))
    assert len({said for _, said in found}) == len(found)


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0"), (250, "250 ms"), (1500, "1.5 s"), (90_000, "1 min 30 s"), (5_400_000, "1 h 30 min"), (DAY, "1 d")],
)
def test_a_tick_says_its_time_in_the_units_of_people(milliseconds: int, said: str) -> None:
    assert tick(milliseconds) == said
