"""Sagas are found, listed and followed in what the tracker keeps."""

from __future__ import annotations

import pytest

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.cli.sagas import latest_of
from kafka_saga.inspection.log.reading import Feed, NotFoundError, decoded, find, partition_count, resolve, states
from tests.unit.kafka_saga.cli.given import KEY, SAGA, completed, log_with, running, state_record

OTHER = "acme/tools#1@aaaaaaaaaaaa"


def test_of_each_saga_the_last_state_counts_and_a_deleted_one_is_gone() -> None:
    cluster = log_with({SAGA: running(), OTHER: running(OTHER)})
    cluster.producer("more").transact([state_record(SAGA, completed()), state_record(OTHER, None)], {}, object())
    assert [(state.saga_id, state.status.value) for state in states(cluster)] == [(SAGA, "completed")]


def test_a_saga_is_found_by_its_id_its_key_or_a_unique_beginning() -> None:
    cluster = log_with({SAGA: running(), OTHER: running(OTHER)})
    assert {find(cluster, name).saga_id for name in (SAGA, KEY, "acme/s", SAGA[:-4])} == {SAGA}


def test_a_saga_whose_key_holds_an_at_sign_is_found_as_well() -> None:
    mine = "ada@example.org@1"
    cluster = log_with({SAGA: running(), mine: running(mine)})
    assert {find(cluster, name).saga_id for name in (mine, "ada@example.org", "ada@exa")} == {mine}


def test_a_key_means_its_latest_saga() -> None:
    older, newer = running(f"{KEY}@aa", at=1_000), running(f"{KEY}@bb", at=2_000)
    assert resolve([older, newer], KEY) is newer


@pytest.mark.parametrize(
    ("name", "said"),
    [("acme/", "2 sagas begin with 'acme/'"), ("nobody", "No saga goes by 'nobody': `saga ls`"), ("a@b", "No saga")],
)
def test_a_name_that_means_no_single_saga_is_refused_with_what_to_do(name: str, said: str) -> None:
    with pytest.raises(NotFoundError, match=said):
        find(log_with({SAGA: running(), OTHER: running(OTHER)}), name)


def test_a_state_that_cannot_be_read_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    cluster = log_with({SAGA: running(), OTHER: b"not json"})
    assert [state.saga_id for state in states(cluster)] == [SAGA]
    assert f"The state of '{OTHER}' cannot be read" in caplog.text


def test_kafka_without_the_topics_says_how_to_start() -> None:
    with pytest.raises(NotFoundError, match="`saga up`"):
        partition_count(MemoryCluster(), "saga.state")


def test_a_state_of_a_newer_version_is_named() -> None:
    with pytest.raises(NotFoundError, match=r"newer version\? Update `saga`"):
        decoded(SAGA, b'{"saga_id": 1}')


def test_a_feed_gives_the_state_then_what_changes() -> None:
    cluster = log_with({SAGA: running(), OTHER: running(OTHER)})
    feed = Feed(cluster, SAGA)
    first = feed.current()
    assert first is not None
    assert first.revision == 2
    assert feed.following(0) is None
    cluster.producer("more").transact([state_record(SAGA, completed())], {}, object())
    newer = feed.following(0)
    assert newer is not None
    assert newer.status.is_final
    feed.close()


def test_a_feed_of_a_saga_that_nobody_has_seen_gives_nothing() -> None:
    assert Feed(log_with({}), SAGA).current() is None


def test_of_many_sagas_the_latest_are_listed_in_order() -> None:
    many = [running(f"k{n}@r", at=1_000 * (n * 7 % 3_000)) for n in range(3_000)]
    known, total = latest_of(iter(many), 3)
    assert ([state.started_at for state in known], total) == ([2_997_000, 2_998_000, 2_999_000], 3_000)
    assert latest_of(iter([]), 3) == ([], 0)
