"""Three instances share a step, one leaves and one joins while handlers run long: no event twice, no work in vain."""

from __future__ import annotations

import time
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from kafka_saga.broker.partitioner import partition_of
from tests.chain.controlled import GATE
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Groups, Log

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

LONG = 20.0
"""Seconds that the long handlers run at least, with both rebalances inside."""

SIDE = 40
"""Short sagas that are started in each phase."""


def test_a_long_handler_is_not_run_again_where_its_partition_came_back(kafka_bootstrap: str, tmp_path: Path) -> None:
    prefix = f"long-{uuid4().hex[:6]}-"
    with Fleet(kafka_bootstrap, tmp_path) as fleet:
        groups = Groups(kafka_bootstrap)
        for step in ("one", "three", "four"):
            chain.service(fleet, step)
        for name in "abc":
            join(fleet, name)
        wait = partial(eventually, turn=fleet.tend, dump=fleet.dump)
        wait(lambda: chain.has_group(("one", "three", "four"), fleet), seconds=90, what="the other steps")
        wait(lambda: shares(groups) == {"a": {0, 1}, "b": {2}, "c": {3}}, seconds=60, what="a, b and c to share")
        log = Log(kafka_bootstrap, chain.TOPICS)
        wait = partial(wait, turn=log.follow)

        long = {number: name_in(number, prefix) for number in (0, 2, 3)}
        sagas = chain.start_sagas(kafka_bootstrap, long.values(), GATE) | side_sagas(kafka_bootstrap, prefix, "x")
        wait(lambda: all(runs(fleet, name) for name in long.values()), seconds=60, what="the long handlers to start")
        begun = time.monotonic()
        leaving = fleet["b"]
        assert leaving.stop() == 0
        wait(lambda: shares(groups) == {"a": {0, 1}, "c": {2, 3}}, seconds=60, what="a and c to share")
        sagas |= side_sagas(kafka_bootstrap, prefix, "y")
        wait(lambda: len(runs(fleet, long[2])) == 2, seconds=60, what="c to run what b has left")
        join(fleet, "d")
        wait(lambda: shares(groups) == {"a": {0, 1}, "c": {2}, "d": {3}}, seconds=60, what="a, c and d to share")
        sagas |= side_sagas(kafka_bootstrap, prefix, "z")
        wait(lambda: len(runs(fleet, long[3])) == 2, seconds=60, what="d to run what was c's")
        wait(lambda: time.monotonic() - begun >= LONG, seconds=LONG + 5, what="the long handlers to be long")
        others = sagas - {f"{name}@1" for name in long.values()}
        wait(lambda: log.sagas(chain.LAST, prefix) == others, seconds=60, what="all others to end meanwhile")
        for name in long.values():
            (tmp_path / "gates" / name).touch()
        wait(lambda: log.sagas(chain.LAST, prefix) == sagas, seconds=60, what="every saga to end")
        wait(lambda: log.has_caught_up, seconds=30, what="the end of the log")

        a, b, c, d = (fleet[name].pid for name in "abcd")
        assert runs(fleet, long[0]) == [a], "its partition was a's before and after"
        assert runs(fleet, long[2]) == [b, c], "b left, c had it through the second rebalance"
        assert runs(fleet, long[3]) == [c, d], "c had it through the first rebalance, then d"
        chain.assert_exactly_once(log, sagas, prefix)
        log.close()


def join(fleet: Fleet, name: str) -> None:
    """Start an instance of step two; member ids begin with the client id, and the range assignor sorts by them."""
    chain.service(
        fleet, "two", name, CHAIN_GATED="two", SAGA_KAFKA_CLIENT_ID=name, SAGA_DRAIN_TIMEOUT="1",
    )  # fmt: skip


def shares(groups: Groups) -> dict[str, set[int]]:
    """Which partitions the instances of step two have."""
    return groups.members("chain-two")


def runs(fleet: Fleet, name: str) -> list[int]:
    """The processes that started the long handler of a saga."""
    return chain.starts(fleet.home, "two", f"{name}@1")


def side_sagas(bootstrap: str, prefix: str, phase: str) -> set[str]:
    """Short ones, in every partition."""
    return chain.start_sagas(bootstrap, (f"{prefix}{phase}{number}" for number in range(SIDE)))


def name_in(partition: int, prefix: str) -> str:
    """A name whose saga lies in this partition."""
    return next(n for i in count() if partition_of((n := f"{prefix}gate{i}").encode(), 4) == partition)
