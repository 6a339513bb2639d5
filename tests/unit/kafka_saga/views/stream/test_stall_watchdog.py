"""A stream that stands still although Kafka is there is found out; one that waits, works or rests is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.views.position import Positions
from kafka_saga.views.stream.stall_watchdog import EVERY, PATIENCE, WHILE_OTHERS_MOVE, Marks, StallWatchdog

LOOKS = round(PATIENCE / EVERY)
MANY = LOOKS * WHILE_OTHERS_MOVE


def looks(story: Sequence[Marks], *, is_there: bool = True) -> None:
    """One look at each of these."""
    marks = iter(story)

    async def asked() -> bool:
        return is_there

    async def go() -> None:
        vigil = StallWatchdog(lambda: next(marks), asked)
        for _ in story:
            await vigil.look()

    asyncio.run(go())


def test_a_stream_that_stands_still_while_kafka_answers_has_ended() -> None:
    looks([{0: "here", 1: "there"}] * LOOKS)
    with pytest.raises(UnavailableError, match="stood still for 60 s although Kafka answers"):
        looks([{0: "here", 1: "there"}] * (LOOKS + 1))


def test_one_partition_may_wait_for_others_but_not_for_ever() -> None:
    looks([{0: "here", 1: number} for number in range(MANY)])
    with pytest.raises(UnavailableError, match="stood still for 300 s"):
        looks([{0: "here", 1: number} for number in range(MANY + 1)])


def test_while_kafka_is_away_nothing_is_the_streams_fault() -> None:
    looks([{0: "here"}] * 2 * MANY, is_there=False)


def test_a_stream_that_moves_now_and_then_is_alive() -> None:
    looks([{0: number // (LOOKS - 1)} for number in range(2 * MANY)])


def test_a_worker_that_has_no_partitions_is_left_alone() -> None:
    looks([{}] * 2 * MANY)


def test_partitions_that_come_and_go_begin_anew() -> None:
    looks([{number // (LOOKS - 1): "here"} for number in range(MANY)])


def test_a_fetch_a_fold_and_an_empty_fetch_all_leave_marks() -> None:
    positions = Positions()
    positions.begin({0})
    seen = [positions.mark(0)]
    positions.fetched(0, 5, 1_000)
    seen.append(positions.mark(0))
    positions.fetched(0, 6, 1_000)
    positions.folded(0, 5)
    seen.append(positions.mark(0))
    positions.folded(0, 6)
    positions.read_to_the_end(0, 2_000)
    seen.append(positions.mark(0))
    assert len(set(seen)) == 4
