"""The value of the table: newest first, older revisions ignored, and the same whatever is repeated."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kafka_saga.tracker.core.state import SagaState
from kafka_saga.tracker.core.state import encode as encode_state
from kafka_saga.views import stored_sagas
from kafka_saga.views.stored_sagas import EMPTY, Arrival, Shelf, StepOutcome, encode, fold, shelf_of
from tests.unit.kafka_saga.views.given import BEGAN, HOUR, MINUTE, arrives, ended, leaves, saga

KEEP = {"chain": HOUR}


def shelf(*arrivals: Arrival) -> Shelf:
    found = EMPTY
    for arrival in arrivals:
        found = fold(found, arrival, KEEP).shelf
    return found


def ids(found: Shelf) -> list[str]:
    return [one.saga_id for one in found.sagas]


def test_the_sagas_of_a_key_are_kept_newest_first() -> None:
    found = shelf(
        arrives(saga("k@b", started_at=BEGAN + 2)),
        arrives(saga("k@a", started_at=BEGAN + 3)),
        arrives(saga("k@c", started_at=BEGAN + 1)),
    )
    assert ids(found) == ["k@a", "k@b", "k@c"]


def test_a_record_comes_back_as_it_was() -> None:
    state = saga("k@1", error="Ünïcode\n" * 100)
    found = shelf_of(encode(shelf(arrives(state))))
    assert found.sagas[0].record == encode_state(state)


def test_a_later_revision_replaces_an_earlier_one() -> None:
    before = shelf(arrives(saga("k@1", 1), 4))
    folded = fold(before, arrives(saga("k@1", 2), 5), KEEP)
    assert (folded.outcome, folded.shelf.sagas[0].revision, folded.shelf.offset) == (StepOutcome.CHANGED, 2, 5)


@pytest.mark.parametrize("revision", [1, 2])
def test_an_older_revision_or_the_same_changes_nothing(revision: int) -> None:
    before = shelf(arrives(saga("k@1", 2), 4))
    folded = fold(before, arrives(saga("k@1", revision), 5), KEEP)
    assert (folded.outcome, folded.shelf) == (StepOutcome.OLDER, before)


def test_a_tombstone_takes_a_saga_away_and_leaves_the_others() -> None:
    found = shelf(arrives(saga("k@1")), arrives(saga("k@2")), leaves("k@1"))
    assert ids(found) == ["k@2"]


def test_a_tombstone_of_a_saga_that_is_not_there_changes_nothing() -> None:
    assert fold(EMPTY, leaves("k@1"), KEEP).outcome is StepOutcome.OLDER


def test_a_saga_that_was_forgotten_may_begin_anew_with_a_low_revision() -> None:
    assert shelf(arrives(saga("k@1", 7)), leaves("k@1"), arrives(saga("k@1", 1))).sagas[0].revision == 1


def test_a_saga_that_ended_long_ago_leaves_at_the_next_write_of_its_key() -> None:
    before = shelf(arrives(ended("k@old", BEGAN)))
    after = saga("k@new", started_at=BEGAN + 1)
    assert ids(fold(before, arrives(after, at=BEGAN + HOUR - 1), KEEP).shelf) == ["k@new", "k@old"]
    assert ids(fold(before, arrives(after, at=BEGAN + HOUR), KEEP).shelf) == ["k@new"]


def test_a_saga_of_a_definition_that_nothing_is_known_of_stays_until_its_tombstone() -> None:
    before = shelf(arrives(ended("k@old", BEGAN, definition="other")))
    assert len(fold(before, arrives(saga("k@new"), at=BEGAN + 100 * HOUR), KEEP).shelf.sagas) == 2


def test_a_record_that_was_just_written_stays_even_if_its_time_is_over() -> None:
    assert ids(shelf(arrives(ended("k@1", BEGAN), at=BEGAN + 2 * HOUR))) == ["k@1"]


@pytest.mark.parametrize("record", [b"", b"no json", b"[]", b'{"saga_id":"k@1"}', b"\xff"])
def test_what_is_no_state_is_left_out_with_a_reason(record: bytes) -> None:
    before = shelf(arrives(saga("k@1")))
    folded = fold(before, Arrival("k@1", record, 9, BEGAN), KEEP)
    assert (folded.outcome, folded.shelf) == (StepOutcome.UNREADABLE, before)
    assert folded.why


def test_a_status_of_a_newer_version_is_left_out_with_a_reason() -> None:
    record = encode_state(saga("k@1")).replace(b'"running"', b'"dreaming"')
    assert "dreaming" in fold(EMPTY, Arrival("k@1", record, 9, BEGAN), KEEP).why


def test_a_state_under_the_key_of_another_saga_is_left_out() -> None:
    folded = fold(EMPTY, Arrival("k@2", encode_state(saga("k@1")), 9, BEGAN), KEEP)
    assert (folded.outcome, "k@2" in folded.why) == (StepOutcome.UNREADABLE, True)


def test_a_value_that_would_not_fit_on_the_changelog_loses_the_oldest_that_have_ended() -> None:
    rng = random.Random(7)
    found = EMPTY
    for number in range(12):
        noise: dict[str, Any] = {"error": rng.randbytes(100_000).hex(), "started_at": BEGAN + number}
        state = saga("k@00", **noise) if number == 0 else ended(f"k@{number:02}", BEGAN, **noise)
        found = fold(found, arrives(state), KEEP).shelf
    assert len(encode(found)) <= stored_sagas.MOST_BYTES
    *ended_ones, running = ids(found)
    assert running == "k@00"
    assert 4 <= len(ended_ones) < 11
    assert ended_ones == [f"k@{number:02}" for number in range(11, 11 - len(ended_ones), -1)]


def noisy(number: int, size: int = 100_000) -> SagaState:
    """A saga that runs, and cannot be compressed by much."""
    return saga(f"k@{number:02}", error=random.Random(number).randbytes(size).hex(), started_at=BEGAN + number)


def test_of_too_many_that_run_the_oldest_are_left_out_and_named() -> None:
    found = EMPTY
    for number in range(12):
        folded = fold(found, arrives(noisy(number)), KEEP)
        found = folded.shelf
    assert len(encode(found)) <= stored_sagas.MOST_BYTES
    assert ids(found) == [f"k@{number:02}" for number in range(11, 11 - len(ids(found)), -1)]
    assert folded.crowded == (f"k@{11 - len(ids(found)):02}",)


def test_one_that_comes_again_has_room_and_the_oldest_of_the_others_has_not() -> None:
    found = EMPTY
    for number in range(12):
        found = fold(found, arrives(noisy(number)), KEEP).shelf
    back = fold(found, arrives(replace(noisy(0), revision=2)), KEEP)
    assert ids(back.shelf) == [*ids(found)[:-1], "k@00"]
    assert back.crowded == (ids(found)[-1],)


def test_one_that_has_no_room_at_all_leaves_its_key_empty() -> None:
    folded = fold(EMPTY, arrives(noisy(1, 1_000_000)), KEEP)
    assert (folded.outcome, folded.shelf.sagas, folded.crowded) == (StepOutcome.CHANGED, (), ("k@01",))


def test_something_else_is_no_value() -> None:
    with pytest.raises(msgspec.DecodeError):
        shelf_of(b"\x00\x01")


ARRIVALS = st.lists(st.tuples(st.sampled_from(["k@1", "k@2", "k@3"]), st.integers(0, 3)), min_size=1, max_size=12)


@settings(max_examples=200)
@given(ARRIVALS, st.data())
def test_reading_a_stretch_again_leads_to_the_same(story: list[tuple[str, int]], data: st.DataObject) -> None:
    """A worker that was killed folds again what it has folded, from the last offset that was committed."""
    revisions: dict[str, int] = {}
    arrivals: list[Arrival] = []
    for offset, (saga_id, kind) in enumerate(story):
        revisions[saga_id] = revisions.get(saga_id, 0) + 1
        if kind == 0:
            arrivals.append(leaves(saga_id, offset, BEGAN + offset * MINUTE))
            revisions[saga_id] = 0
        else:
            state = ended(saga_id, BEGAN, revisions[saga_id]) if kind == 1 else saga(saga_id, revisions[saga_id])
            arrivals.append(arrives(state, offset, BEGAN + offset * MINUTE))
    died = data.draw(st.integers(0, len(arrivals)))
    committed = data.draw(st.integers(0, died))
    again = shelf(*arrivals[:died], *arrivals[committed:])
    assert ids(again) == ids(shelf(*arrivals))
    assert [one.revision for one in again.sagas] == [one.revision for one in shelf(*arrivals).sagas]
