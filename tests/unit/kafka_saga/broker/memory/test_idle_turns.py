"""Turns in which a process has nothing to do are cut short, and nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.testing.process import SimulatedProcess
from kafka_saga.testing.system import System
from kafka_saga.worker.service import Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS

SERVICES = [Service(step.name, {CHAIN: {step.name: HANDLERS[step.name]}}) for step in CHAIN.steps]
START = CHAIN.starts_on.event_type


class Run:
    """A system whose polls and turns are dealt out by chance; `draws` are what polls were offered."""

    def __init__(self) -> None:
        self.draws: list[tuple[int, int]] = []
        self._chance = Random(3)
        self.system = System((CHAIN,), partitions=2)
        self.system.cluster.portion = self._portion
        for service in SERVICES:
            self.system.start(service)
        self.system.start_tracker()

    def go(self) -> list[Record]:
        """Some sagas, some turns and a rest; everything that lies on the log."""
        for number in range(400):
            if number % 60 == 20:
                self.system.publish(START, {"name": f"k{number}", "number": number})
            self.system.clock.advance(self._chance.randrange(1, 40) / 1000)
            self.system.turn(self._chance.choice(list(self.system.processes)))
        self.system.advance(60)
        records = [record for topic in self.system.cluster.topics for record in self.system.records(topic)]
        self.system.close()
        return records

    def _portion(self, readable: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
        self.draws.append((len(readable), limit))
        return [(at, 2) for at in self._chance.sample(readable, len(readable) // 2)]


def test_a_run_is_the_same_with_all_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Run()
    records = short.go()
    assert len(records) > 20
    monkeypatch.setattr(SimulatedProcess, "_is_idle", False)
    monkeypatch.setattr(SimulatedProcess, "is_at_rest", False)
    whole = Run()
    assert whole.go() == records
    assert whole.draws == short.draws


def test_a_process_at_rest_is_one_whose_turn_would_do_nothing() -> None:
    system = System((CHAIN,), partitions=2)
    process = system.start(SERVICES[0])
    assert not process.is_at_rest
    system.settle()
    assert process.is_at_rest
    system.publish(START, {"name": "k", "number": 1})
    assert not process.is_at_rest
    system.settle()
    system.clock.advance(1)
    assert not process.is_at_rest
    system.close()
