"""What a worker holds: lists, counts and figures follow its values, whether they were folded or restored."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.port import IncidentQuery, SagaQuery
from kafka_saga.views.statistics import Tally
from kafka_saga.views.stored_sagas import Arrival, StepOutcome
from kafka_saga.wire.ids import key_of
from tests.unit.kafka_saga.views.given import BEGAN, HOUR, MINUTE, arrives, did, ended, leaves, saga, step

NOW = BEGAN + HOUR


def take(holdings: PartitionTables, arrival: Arrival, partition: int = 0) -> StepOutcome:
    key = key_of(arrival.saga_id).encode()
    folded, value = holdings.fold(partition, key, arrival)
    if folded.outcome in {StepOutcome.CHANGED, StepOutcome.GONE}:
        holdings.put(partition, key, value)
    return folded.outcome


def holding(*states: SagaState, keep: int | None = None) -> PartitionTables:
    holdings = PartitionTables({} if keep is None else {"chain": keep})
    for offset, state in enumerate(states):
        take(holdings, arrives(state, offset), state.partition)
    return holdings


def shown(holdings: PartitionTables, query: SagaQuery | None = None) -> list[str]:
    return sorted(row.saga_id for row in holdings.index.part(query or SagaQuery(), NOW).rows)


def counted(tallies: Iterable[Tally]) -> dict[tuple[str, str], dict[str, int]]:
    return {
        (one.step, one.window): {what.value: number for what, number in one.counts.items() if number}
        for one in tallies
        if any(one.counts.values())
    }


def test_a_saga_is_listed_counted_and_found_by_its_key() -> None:
    holdings = holding(saga("k@1", steps=(step("one", did(NOW - MINUTE, 5)),)), saga("l@1"))
    assert shown(holdings) == ["k@1", "l@1"]
    assert holdings.index.counts(NOW) == {"chain": {"running": 2}}
    assert [one.saga_id for one in holdings.shown(0, b"k", NOW)] == ["k@1"]
    assert counted(holdings.tallies([0], NOW))["one", "1h"] == {"started": 1, "done": 1}


def test_a_saga_that_left_is_in_no_list_no_count_and_no_figure() -> None:
    holdings = holding(saga("k@1", steps=(step("one", did(NOW - MINUTE, 5)),)))
    assert take(holdings, leaves("k@1", 9)) is StepOutcome.GONE
    assert (len(holdings), shown(holdings), holdings.index.counts(NOW)) == (0, [], {})
    assert counted(holdings.tallies([0], NOW)) == {}


def test_a_saga_that_ended_too_long_ago_is_hidden_before_it_leaves() -> None:
    holdings = holding(ended("k@1", BEGAN), keep=HOUR)
    assert shown(holdings) == []
    assert holdings.shown(0, b"k", NOW) == ()
    assert holdings.shown(0, b"k", NOW - 1) != ()
    assert len(holdings) == 1


def test_a_partition_that_went_to_another_worker_leaves_nothing_behind() -> None:
    holdings = holding(saga("k@1"), saga("l@1", partition=1, steps=(step("one", did(NOW, 5)),)))
    holdings.forget([1])
    assert (holdings.partitions, shown(holdings)) == (frozenset({0}), ["k@1"])
    assert holdings.shelf(1, b"l").sagas == ()
    assert holdings.tallies([0, 1], NOW) == []
    assert holdings.index.incidents(IncidentQuery(), NOW).total == 0


def test_who_listens_hears_of_each_change_once_and_of_none_that_is_older() -> None:
    heard: list[tuple[str, bool]] = []
    holdings = PartitionTables({}, lambda saga_id, record: heard.append((saga_id, record is None)))
    for arrival in (
        arrives(saga("k@1", 2), 0),
        arrives(saga("k@1", 1), 1),
        arrives(saga("k@2", 1), 2),
        leaves("k@1", 3),
        leaves("k@1", 4),
    ):
        take(holdings, arrival)
    assert heard == [("k@1", False), ("k@2", False), ("k@1", True)]


def test_what_cannot_be_read_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    holdings = holding(saga("k@1"))
    with caplog.at_level(logging.ERROR):
        for offset in (7, 8):
            assert take(holdings, Arrival("k@1", b"no json", offset, BEGAN)) is StepOutcome.UNREADABLE
    assert holdings.outcomes[StepOutcome.UNREADABLE] == 2
    assert len(caplog.records) == 1
    assert "saga.state[0]@7 of k@1" in holdings.unreadable


def test_a_value_on_the_changelog_that_cannot_be_read_is_told_and_left_out() -> None:
    holdings = holding(saga("k@1"))
    holdings.restore(0, b"l", b"\x00")
    assert "b'l'" in holdings.unreadable
    assert shown(holdings) == ["k@1"]


def test_a_value_of_an_older_record_is_not_restored_over_a_newer_one() -> None:
    """A worker that stood still wrote it, after its partition had gone to another."""
    late = holding(saga("k@1", 1)).values(0)[b"k"]
    holdings = PartitionTables({})
    take(holdings, arrives(saga("k@1", 5), 50))
    holdings.restore(0, b"k", late)
    assert holdings.shelf(0, b"k").sagas[0].revision == 5


STORY = st.lists(
    st.tuples(st.sampled_from(["k@1", "k@2", "l@1", "m@1"]), st.integers(0, 4), st.integers(0, 120)), max_size=25
)


@given(STORY)
def test_what_is_restored_from_the_changelog_is_what_was_folded(story: list[tuple[str, int, int]]) -> None:
    live, restored = PartitionTables({"chain": HOUR}), PartitionTables({"chain": HOUR})
    for offset, (saga_id, kind, minutes) in enumerate(story):
        steps = (step("one", did(BEGAN, minutes * MINUTE)),)
        state = (
            ended(saga_id, BEGAN + minutes, offset, steps=steps) if kind == 1 else saga(saga_id, offset, steps=steps)
        )
        arrival = leaves(saga_id, offset) if kind == 0 else arrives(state, offset, BEGAN + minutes * MINUTE)
        key = key_of(saga_id).encode()
        folded, value = live.fold(0, key, arrival)
        if folded.outcome in {StepOutcome.CHANGED, StepOutcome.GONE}:
            live.put(0, key, value)
            restored.restore(0, key, value)
    assert restored.values(0) == live.values(0)
    assert shown(restored) == shown(live)
    assert restored.index.counts(NOW) == live.index.counts(NOW)
    assert counted(restored.tallies([0], NOW)) == counted(live.tallies([0], NOW))


def test_when_a_definition_keeps_its_sagas_for_longer_they_are_shown_for_longer() -> None:
    holdings = PartitionTables({"chain": HOUR})
    state = ended("k@1", BEGAN)
    key = state.key.encode()
    _, value = holdings.fold(0, key, arrives(state))
    holdings.put(0, key, value)
    later = BEGAN + 2 * HOUR
    assert holdings.shown(0, key, later) == ()
    assert holdings.index.part(SagaQuery(), later).total == 0
    holdings.keep_for({"chain": 3 * HOUR})
    assert [one.saga_id for one in holdings.shown(0, key, later)] == ["k@1"]
    assert holdings.index.part(SagaQuery(), later).total == 1
