"""What definitions say of how long finished sagas are shown counts as soon as it is deployed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.steps.definition_registry import Statement
from kafka_saga.views import expiry
from kafka_saga.views.expiry import follow, kept_for
from kafka_saga.views.partition_tables import PartitionTables


class EndError(Exception):
    """Ends the story."""


def said(version: int, hours: float | None, name: str = "chain") -> Statement:
    return Statement(name, version, "hash", {} if hours is None else {"keep_finished": hours * 3600})


def test_of_several_versions_the_longest_counts_and_one_that_says_nothing_does_not() -> None:
    assert kept_for([said(1, 1), said(2, 3), said(3, 2), said(1, None, "other")]) == {"chain": 3 * 3_600_000}


def test_a_version_that_comes_later_counts_without_a_restart_and_while_kafka_is_away_nothing_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expiry, "EVERY", 0.0)
    holdings = PartitionTables({"chain": 1})
    seen: list[dict[str, int]] = []
    answers: list[Sequence[Statement] | Exception] = [
        [said(1, 1)],
        UnavailableError("Kafka is away"),
        [said(1, 1), said(2, 2)],
        EndError(),
    ]

    def deployed() -> Sequence[Statement]:
        seen.append(dict(holdings.keep))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(EndError):
        asyncio.run(follow(deployed, holdings))
    one, two = {"chain": 3_600_000}, {"chain": 2 * 3_600_000}
    assert seen == [{"chain": 1}, one, one, two]
