"""200 sagas while every service in turn is killed and the broker is stopped: all complete, nothing is seen twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.local.broker import EmbeddedKafka
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import SHORT_SESSION, Fleet
from tests.e2e.support.observed import Groups, Log

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

SAGAS = 200
PREFIX = "chaos-"
SLOW = {"SAGA_MAX_IN_FLIGHT": "4", **SHORT_SESSION}
"""Few handlers at once, so that every step still has work when its turn comes."""

OUTCOMES = dict(zip(chain.STEPS, chain.EVENTS[1:], strict=True))


def test_every_saga_completes_exactly_once_while_each_service_is_killed_and_the_broker_stopped(tmp_path: Path) -> None:
    with EmbeddedKafka(home=tmp_path / "kafka", port=0) as kafka, Fleet(kafka.bootstrap, tmp_path, **SLOW) as fleet:
        start_services(fleet)
        log = Log(kafka.bootstrap, chain.TOPICS)
        wait = partial(eventually, turn=partial(turn, log, fleet), dump=lambda: told(log, fleet))
        sagas = chain.start_sagas(kafka.bootstrap, (f"{PREFIX}{number}" for number in range(SAGAS)))
        kill_each_in_turn(fleet, log, wait)
        stop_and_start(kafka, log, wait)
        wait(lambda: chain.is_tracked_to_the_end(log, sagas, PREFIX), seconds=180, what="every saga to be completed")
        wait(lambda: log.has_caught_up, seconds=30, what="the end of the log")
        chain.assert_exactly_once(log, sagas, PREFIX)
        chain.assert_tracked(log, sagas, PREFIX)
        assert_nothing_is_left(kafka.bootstrap, wait)
        assert all(fleet[name].past for name in ("one", "two-a", "three", "four", "tracker"))
        log.close()


def turn(log: Log, fleet: Fleet) -> None:
    """Look at the log, and at the processes."""
    log.follow()
    fleet.tend()


def start_services(fleet: Fleet) -> None:
    """Every step; the second twice, in two ways of membership: with a name that outlives a process, and without."""
    chain.service(fleet, "one", SAGA_INSTANCE="one")
    for name in ("two-a", "two-b"):
        chain.service(fleet, "two", name)
    chain.service(fleet, "three")
    chain.service(fleet, "four", SAGA_INSTANCE="four")
    chain.tracker(fleet, SAGA_INSTANCE="tracker")
    eventually(
        lambda: chain.has_group(list(fleet.members), fleet), fleet.tend, 90, "the services to be ready", fleet.dump
    )


def kill_each_in_turn(fleet: Fleet, log: Log, wait: Callable[..., None]) -> None:
    """Each is killed with work begun and work left."""
    victims = {"one": 20, "two-a": 40, "three": 40, "four": 20, "tracker": 60}
    for name, done in victims.items():
        topic = OUTCOMES.get(name.removesuffix("-a"), chain.LAST)
        wait(lambda: len(log.sagas(topic, PREFIX)) >= done, seconds=60, what=f"{done} of {topic}, to kill {name}")  # noqa: B023
        assert in_flight(log), f"no saga was in flight any more when {name} was to be killed"
        fleet[name].kill()


def stop_and_start(kafka: EmbeddedKafka, log: Log, wait: Callable[..., None]) -> None:
    """The broker, with sagas in flight."""
    wait(lambda: len(log.sagas(chain.LAST, PREFIX)) >= 90, seconds=60, what="90 sagas to end")
    assert in_flight(log)
    kafka.restart()


def in_flight(log: Log) -> int:
    """How many sagas have not seen their last event."""
    return SAGAS - len(log.sagas(chain.LAST, PREFIX))


def assert_nothing_is_left(bootstrap: str, wait: Callable[..., None]) -> None:
    """No group has an unfinished record."""
    groups = Groups(bootstrap)
    for step, trigger in zip(chain.STEPS, chain.EVENTS, strict=False):
        wait(
            lambda: not groups.open_records(f"chain-{step}", [trigger], 4),  # noqa: B023
            seconds=30, what=f"chain-{step} to have nothing open",
        )  # fmt: skip


def told(log: Log, fleet: Fleet) -> str:
    """How far the sagas are, and the tail of every log."""
    counts = {topic: len(log.sagas(topic, PREFIX)) for topic in (*chain.EVENTS, SAGA_LIFECYCLE)}
    return f"sagas by event: {counts}\n{fleet.dump()}"
