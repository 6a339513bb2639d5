"""What a contract test needs of a log beyond the port: waiting, open transactions, cleaning; in memory and on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import uuid4

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from kafka_saga.definition.topics import TopicSpec

PATIENCE = 60.0
"""Seconds after which a condition that does not come true fails its test."""

SESSION_TIMEOUT = 6.0
"""Seconds without a poll after which a member is out of its group: the least that a broker's defaults allow."""

TURN = 0.02
"""Seconds that a turn may wait for a record."""

VIRTUAL_TURN = 0.2
"""Seconds by which the virtual clock moves with a turn."""

LOGGED_NOW: Mapping[str, str] = {"message.timestamp.type": "LogAppendTime"}


class OpenTransaction(Protocol):
    """A transaction that has written its records and not ended yet."""

    def commit(self) -> None:
        """End it: its records are visible."""

    def abort(self) -> None:
        """End it: its records are never seen."""


class Driver(Protocol):
    """A log under test."""

    @property
    def cluster(self) -> Cluster:
        """The port to it."""

    @property
    def clock(self) -> Clock:
        """The time it lives in."""

    @property
    def is_real(self) -> bool:
        """Whether it is real Kafka."""

    def eventually(self, condition: Callable[[], bool], turn: Callable[[], object]) -> None:
        """Take turns until the condition holds; fails the test if it never does."""

    def open(self, transactional_id: str, records: Sequence[Outgoing]) -> OpenTransaction:
        """A transaction with these records written, still open."""

    def write(self, records: Sequence[Outgoing]) -> OpenTransaction:
        """The same by a producer that is kept for the next time; it has to be ended first."""

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """What a group has committed, seen from outside."""

    def clean(self, topic: str) -> None:
        """Get the log cleaner to work on a compacted topic made by `compacted`."""


def unique(what: str) -> str:
    """A name that no other test uses."""
    return f"{what}-{uuid4().hex[:12]}"


def topic(driver: Driver, partitions: int = 2, config: Mapping[str, str] = LOGGED_NOW) -> str:
    """A new topic."""
    name = unique("topic")
    driver.cluster.admin().create_missing([TopicSpec(name, partitions, 1, config)])
    return name


def abort(driver: Driver, records: Sequence[Outgoing]) -> None:
    """Write records in a transaction that is rolled back."""
    driver.write(records).abort()


def commit(driver: Driver, records: Sequence[Outgoing]) -> None:
    """Write records in a transaction, without offsets."""
    driver.write(records).commit()


def to(topic: str, partition: int, *values: bytes) -> list[Outgoing]:
    """Records to write; the key of each is its value."""
    return [Outgoing(topic, partition, value, value, []) for value in values]


def numbered(topic: str, partition: int, numbers: range) -> list[Outgoing]:
    """Records to write whose values are numbers."""
    return to(topic, partition, *(b"%d" % number for number in numbers))


def places(topic: str, partitions: int) -> list[TopicPartition]:
    """Every partition of a topic."""
    return [TopicPartition(topic, number) for number in range(partitions)]
