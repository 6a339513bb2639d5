"""A service as a process: what it has said on the log before it works on anything."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from typing import NoReturn

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.definition.topics import SAGA_DEFINITIONS
from kafka_saga.errors import TopologyError
from kafka_saga.steps.announcements import announced_in
from kafka_saga.steps.definition_registry import Statement, stated, stated_in
from kafka_saga.steps.step_processor import StepProcessor
from kafka_saga.worker import process
from kafka_saga.worker.service import Service
from tests.support.example import example


class Stopping(Service):
    """A service that ends before it takes anything."""

    def processors(self, partitions: int, known: Iterable[Statement] = ()) -> tuple[StepProcessor, ...]:
        raise TopologyError(f"no further: {partitions} partitions, {[one.key for one in known]}")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> MemoryCluster:
    """The log that a process finds, which leaves the process of the test as it is."""
    cluster = MemoryCluster(VirtualClock())
    for name in ("calm_the_collector", "log_to_stderr"):
        monkeypatch.setattr(process, name, lambda *_: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(process, "cluster_of", lambda _: cluster)
    monkeypatch.setattr(process, "_exit", left)
    return cluster


def left(code: int) -> NoReturn:
    raise SystemExit(code)


def test_a_service_states_its_definition_and_announces_itself_once(log: MemoryCluster) -> None:
    case = example()
    service = Stopping("first", {case.saga: {"work": lambda event, context: None}})
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            process.run_service(service)
        assert ended.value.code == 1

    records = log.records(SAGA_DEFINITIONS)
    assert list(filter(None, map(stated_in, records))) == [stated(case.saga)]
    assert list(filter(None, map(announced_in, records))) == [service.announcement]
    assert len(records) == 2
