"""What happened at steps: windows, percentiles, and that repeating changes nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.api.topology import Figures as Answer
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.statistics import Statistics, class_of, facts, merged, middle_of, percentile
from tests.unit.kafka_saga.views.given import BEGAN, HOUR, MINUTE, began, did, failed, retried, saga, step

NOW = BEGAN + 2 * HOUR


def figures_of(*states: SagaState) -> Statistics:
    found = Statistics()
    for state in states:
        found.replace(Counter(), facts(state))
    return found


def answers(found: Statistics, now: int = NOW) -> dict[str, Answer]:
    return merged(found.tallies(now))["chain", "one"]


def test_what_happened_within_a_window_is_counted() -> None:
    state = saga(
        "k@1",
        steps=(step("one", did(NOW - 30_000, 2_000), began(NOW - 10_000), did(NOW - 10 * MINUTE, 4_000)),),
        reports=(failed("one", NOW - 20_000), failed("one", NOW - 30 * MINUTE)),
        sent=(retried("one", NOW - 19_000), retried("one", NOW - 1_000, undoes=True)),
    )
    found = answers(figures_of(state))
    counted = {name: (one.started, one.done, one.failed, one.retried) for name, one in found.items()}
    assert counted == {"1m": (2, 1, 1, 1), "1h": (3, 2, 2, 1)}
    assert found["1m"].p50_ms == pytest.approx(2_000, rel=0.03)
    assert found["1h"].p95_ms == pytest.approx(4_000, rel=0.03)


def test_where_nothing_ended_there_is_no_percentile() -> None:
    found = answers(figures_of(saga("k@1", steps=(step("one", began(NOW - 1_000)),))))
    assert (found["1m"].p50_ms, found["1m"].p95_ms, found["1m"].started) == (None, None, 1)


def test_time_passes_and_windows_empty_themselves() -> None:
    found = figures_of(saga("k@1", steps=(step("one", did(NOW - 1_000, 500)),)))
    assert answers(found, NOW + 2 * MINUTE)["1m"].done == 0
    assert answers(found, NOW + 2 * MINUTE)["1h"].done == 1
    assert answers(found, NOW + 2 * HOUR)["1h"].done == 0


def test_a_state_takes_back_what_the_one_before_it_said() -> None:
    first = facts(saga("k@1", 1, steps=(step("one", began(NOW - 9_000)),)))
    second = facts(saga("k@1", 2, steps=(step("one", did(NOW - 9_000, 3_000)),)))
    found = Statistics()
    found.replace(Counter(), first)
    found.replace(first, second)
    assert (answers(found)["1m"].started, answers(found)["1m"].done) == (1, 1)
    found.replace(second, Counter())
    assert (answers(found)["1m"].started, answers(found)["1m"].done, answers(found)["1m"].p50_ms) == (0, 0, None)


def test_what_is_older_than_the_longest_window_is_not_kept() -> None:
    found = figures_of(*(saga(f"k@{n}", steps=(step("one", did(BEGAN + n * MINUTE, 500)),)) for n in range(600)))
    kept = sum(len(slots) for slots in found._steps.values())
    assert kept <= HOUR // 5_000 + 1
    assert answers(found, BEGAN + 600 * MINUTE)["1h"].done == 60


def test_figures_of_two_workers_add_up() -> None:
    one = figures_of(saga("k@1", steps=(step("one", did(NOW - 5_000, 1_000)),)))
    two = figures_of(saga("l@1", steps=(step("one", did(NOW - 6_000, 3_000)),)))
    found = merged([*one.tallies(NOW), *two.tallies(NOW)])["chain", "one"]["1m"]
    assert (found.started, found.done) == (2, 2)
    assert found.p50_ms == pytest.approx(1_000, rel=0.03)
    assert found.p95_ms == pytest.approx(3_000, rel=0.03)


@given(st.integers(0, 30 * 24 * HOUR))
def test_a_duration_is_known_within_two_and_a_half_percent(milliseconds: int) -> None:
    assert middle_of(class_of(milliseconds)) == pytest.approx(milliseconds, abs=0.026 * milliseconds + 1)


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_one_of_the_durations(durations: list[int], share: float) -> None:
    found = percentile(Counter(class_of(one) for one in durations), share)
    ranked = sorted(durations)
    exact = ranked[max(0, -(-len(ranked) * int(share * 100) // 100) - 1)]
    assert found == pytest.approx(exact, rel=0.026, abs=1)


STATES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3 * HOUR), st.integers(0, 10 * MINUTE)), min_size=1, max_size=25
)


@given(STATES)
def test_replacing_states_one_by_one_gives_what_the_last_ones_give_together(story: list[tuple[int, int, int]]) -> None:
    found, known = Statistics(), dict[int, SagaState]()
    for revision, (number, at, took) in enumerate(story):
        state = saga(f"k@{number}", revision, steps=(step("one", did(BEGAN + at, took)),))
        before = facts(known[number]) if number in known else Counter()
        found.replace(before, facts(state))
        known[number] = state
    now = BEGAN + 3 * HOUR + 11 * MINUTE
    together = figures_of(*known.values())
    assert answers_or_none(found, now) == answers_or_none(together, now)


def answers_or_none(found: Statistics, now: int) -> dict[str, Answer]:
    all_of_them = merged(found.tallies(now)).get(("chain", "one"), {})
    return {name: one for name, one in all_of_them.items() if one != Answer()}
