"""Static processes of a system in memory: a restart moves nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kafka_saga.broker.memory.group import SESSION_TIMEOUT
from kafka_saga.testing.system import System
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS

SERVICE = Service("one", {CHAIN: {"one": HANDLERS["one"]}})


@pytest.fixture
def system() -> Iterator[System]:
    """Two static instances of a service."""
    system = System((CHAIN,))
    for instance in ("1", "2"):
        system.start(SERVICE, instance, static=True)
    system.settle()
    yield system
    system.close()


def work(system: System) -> dict[str, tuple[int, ...]]:
    return {name: process.worker.runner.working_on() for name, process in system.processes.items()}


def test_a_killed_process_that_comes_back_goes_on_at_once_with_what_it_had(system: System) -> None:
    before, generation = work(system), system.cluster.groups["one"].generation
    assert sorted(before.values()) == [(0, 1), (2, 3)]
    system.kill("one/1")
    system.settle()
    assert work(system) == {"one/2": before["one/2"]}
    system.start(SERVICE, "1", static=True)
    system.settle()
    assert work(system) == before
    assert system.cluster.groups["one"].generation == generation


def test_one_that_stays_away_is_missed_when_its_session_ends(system: System) -> None:
    system.stop("one/1")
    system.settle()
    assert work(system)["one/2"] != (0, 1, 2, 3)
    system.advance(SESSION_TIMEOUT + 1)
    assert work(system) == {"one/2": (0, 1, 2, 3)}


def test_a_process_whose_place_is_taken_has_to_exit(system: System) -> None:
    gone: list[str] = []
    system.on_exit = gone.append
    first = system.processes["one/1"]
    system.start(SERVICE, "1", static=True)
    system.processes["other"] = first
    system.settle()
    assert gone == ["other"]


def test_the_tracker_may_be_static(system: System) -> None:
    system.start_tracker(static=True)
    system.settle()
    generation = system.cluster.groups["tracker"].generation
    system.kill("tracker/1")
    system.start_tracker(static=True)
    system.settle()
    assert work(system)["tracker/1"] == (0, 1, 2, 3)
    assert system.cluster.groups["tracker"].generation == generation
