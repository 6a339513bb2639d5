"""What is reported of measurements."""

from __future__ import annotations

import pytest

from tests.bench.document import BEGIN, END, updated
from tests.bench.figures import Round, percentile, ratios, summary


def a_round(system: str, throughput: int, p50: float) -> Round:
    return Round(system, sagas=throughput * 2, done_s=1.0, tracked_s=2.0, latencies_ms=[p50])


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], percent) for percent in (50, 95, 99, 25)] == [2.0, 4.0, 4.0, 1.0]


def test_throughput_counts_until_the_tracker_is_through_too() -> None:
    assert Round("saga", sagas=100, done_s=1.0, tracked_s=2.0).throughput == 50
    assert Round("saga", sagas=100, done_s=1.0, tracked_s=0.0).throughput == 100


def test_the_summary_takes_the_median_round() -> None:
    rounds = [a_round("saga", throughput, 5.0) for throughput in (10, 30, 20)]
    assert summary(rounds) == {"throughput": 20, "p50_ms": 5.0, "p95_ms": 5.0, "p99_ms": 5.0}


def test_ratios_compare_within_a_round_since_the_machine_is_shared() -> None:
    quiet = [a_round("saga", 800, 12), a_round("lean", 1_000, 10), a_round("bare", 4_000, 10)]
    busy = [a_round("bare", 2_000, 20), a_round("saga", 400, 24), a_round("lean", 500, 20)]
    assert ratios([*quiet, *busy]) == {"lean_throughput": 0.8, "bare_throughput": 0.2, "p50": 1.2}


def test_the_document_keeps_what_is_around_its_figures() -> None:
    assert updated(f"a\n{BEGIN}\nold\n{END}\nb\n", "new") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    with pytest.raises(ValueError, match="needs the lines"):
        updated("nothing", "new")
