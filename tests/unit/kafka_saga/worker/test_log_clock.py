"""The ground of rulings: a transaction without an end is named, once a minute, for as long as it holds them up."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import TopicFactory
from kafka_saga.engine.runner import Runner
from kafka_saga.worker.log_clock import LONG, LogClock
from tests.unit.kafka_saga.engine.given import AcceptAll

AT = TopicPartition("it.happened", 0)
DUE = 1_000


class Waiting(AcceptAll):
    """A processor that waits for a time, until everything before it has been read."""

    is_reached = False

    def due_at(self, number: int) -> int | None:
        return None if self.is_reached else DUE

    def reach(self, number: int, until: int, read: Mapping[str, int]) -> None:
        self.is_reached = True


class Waits:
    """A task that waits for a time, on a log whose only record lies in a transaction that was left open at 0."""

    def __init__(self) -> None:
        self.clock = VirtualClock(0)
        self.cluster = MemoryCluster(self.clock)
        self.cluster.admin().create_missing([TopicFactory(1).log(AT.topic)])
        self.writer = self.cluster.producer("writer")
        self.writer.begin([Outgoing(AT.topic, AT.partition, b"k", b"", [])])
        self.logic = Waiting()
        runner = Runner(self.logic.roles)
        runner.on_assign({AT: None})
        runner.on_restored(AT.partition, self.clock.now())
        self.log_clock = LogClock(self.cluster, runner, self.logic.topics, self.logic, self.clock)

    def goes_on(self, seconds: float, *, read_to: int = 0) -> None:
        self.clock.advance(seconds)
        self.log_clock.advance(lambda: {AT: read_to})

    def asks(self, after: float) -> None:
        """It hears of the broker's time, and so learns that its own has come."""
        self.clock.advance(after)
        self.log_clock.hear([Record("it.happened", AT.partition, 0, self.clock.now(), b"k", b"", [])])
        self.log_clock.advance(lambda: {AT: 0})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]


@pytest.mark.parametrize("after", [2, LONG / 2, LONG * 2])
def test_a_transaction_without_an_end_is_named_a_minute_after_it_holds_up_a_ruling(
    after: float, caplog: pytest.LogCaptureFixture
) -> None:
    waits = Waits()
    waits.asks(after)
    waits.goes_on(LONG - 1)
    assert errors(caplog) == []
    waits.goes_on(1)
    (line,) = errors(caplog)
    assert line.startswith("it.happened[0]: nobody reads on behind offset 0, where a transaction has no end")
    assert "`saga kafka hanging --abort`" in line
    assert not waits.logic.is_reached


def test_it_is_named_again_every_minute_and_not_in_between(caplog: pytest.LogCaptureFixture) -> None:
    waits = Waits()
    waits.asks(2)
    for _ in range(round(3 * LONG)):
        waits.goes_on(1)
    assert len(errors(caplog)) == 3


def test_once_it_has_an_end_nothing_is_named_and_the_ruling_is_made(caplog: pytest.LogCaptureFixture) -> None:
    waits = Waits()
    waits.asks(2)
    waits.goes_on(LONG)
    waits.writer.abort()
    waits.goes_on(LONG)
    assert (len(errors(caplog)), waits.logic.is_reached) == (1, False)
    waits.goes_on(1, read_to=2)
    assert waits.logic.is_reached
