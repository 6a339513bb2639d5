"""The in-memory log as a cluster: the log itself, and the clients that are the port's five roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.memory.admin import MemoryAdmin
from kafka_saga.broker.memory.consumers import MemoryConsumer, MemoryReader
from kafka_saga.broker.memory.log import MemoryLog, no_fault
from kafka_saga.broker.memory.producers import MemoryProducer, MemoryPublisher
from kafka_saga.broker.port import Listener

P = TypeVar("P", bound=MemoryProducer)

TRANSACTION_TIMEOUT = 10.0
"""Seconds after which the broker rolls back a transaction that nobody ends."""


class MemoryCluster(MemoryLog):
    """A Kafka in memory, with clients. `fault` is called at named points of a transaction, as a broker would fail."""

    def __init__(self, clock: Clock | None = None, fault: Callable[[str], None] = no_fault) -> None:
        super().__init__(clock, fault)
        self.producers: dict[str, MemoryProducer] = {}

    def consumer(
        self, group: str, topics: Sequence[str], listener: Listener, instance: str | None = None
    ) -> MemoryConsumer:
        """A new member of `group`; one with an `instance` takes the place of the member with the same (KIP-345)."""
        return MemoryConsumer(self, self.group(group), topics, listener, instance)

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A transactional producer that fences its predecessor."""
        return self.initialized(MemoryProducer(self, transactional_id))

    def initialized(self, producer: P) -> P:
        """The producer, after it has fenced its predecessor and waited for its markers (Kafka's InitProducerId)."""
        if before := self.producers.get(producer.transactional_id):
            before.fence()
            before.complete()
        self.producers[producer.transactional_id] = producer
        return producer

    def reader(self) -> MemoryReader:
        """A reader without a group."""
        return MemoryReader(self)

    def publisher(self) -> MemoryPublisher:
        """A plain producer."""
        return MemoryPublisher(self)

    def admin(self) -> MemoryAdmin:
        """Topics and offsets."""
        return MemoryAdmin(self)

    def expire_transactions(self, seconds: float = TRANSACTION_TIMEOUT) -> None:
        """Roll back what has been open for longer, and fence whoever left it (source: transaction.timeout.ms)."""
        until = self.clock.monotonic() - seconds
        for producer in self.producers.values():
            if producer.is_open_since(until):
                producer.fence()
