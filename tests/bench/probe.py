"""The driver's end of a system: it publishes starts and sees, as a read-committed consumer, what comes of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from kafka_saga.broker.kafka.errors import LOG
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.errors import UnavailableError
from kafka_saga.worker.settings import Settings
from tests.bench.flat import TRACKED, group_properties, publisher_properties
from tests.bench.systems import PARTITIONS, System

PATIENCE = 60.0
"""Seconds without any progress after which a measurement is given up."""


@dataclass
class Seen:
    """How many sagas have come through the last step, how many the tracker says completed, and when the last did."""

    done: int = 0
    completed: int = 0
    done_at: float = 0.0
    completed_at: float = 0.0


class Probe:
    """Publishes to the first topic of a system, reads its last one and its lifecycle, from the beginning on."""

    def __init__(self, system: System, settings: Settings, *, tracker: bool) -> None:
        self._name = system.name
        self._last, self._lifecycle = system.prefix + TRACKED[-1], system.prefix + SAGA_LIFECYCLE
        self._tracker = tracker
        self._producer = Producer(publisher_properties(settings.kafka_properties), logger=LOG)
        self._consumer = Consumer(group_properties(f"bench-{uuid.uuid4().hex}", settings), logger=LOG)
        topics = [self._last, self._lifecycle]
        self._consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t in topics for p in range(PARTITIONS)])
        self._seen = Seen()
        self._sent = 0

    def publish(self, starts: Sequence[Outgoing]) -> None:
        """Hand all starts to the client, as fast as it takes them."""
        for start in starts:
            while True:
                try:
                    self._producer.produce(
                        start.topic,
                        start.value,
                        start.key,
                        start.partition,
                        headers=start.headers,  # type: ignore[arg-type]
                    )
                except BufferError:
                    self._producer.poll(0.05)
                else:
                    break
        self._sent += len(starts)

    def one(self, start: Outgoing) -> float:
        """Seconds from publishing one start until its last event is seen; returns when the tracker has it, too."""
        began = time.monotonic()
        self.publish([start])
        self._until(lambda: self._seen.done == self._sent)
        done = self._seen.done_at
        self._until(self._is_through)
        return done - began

    def all(self, starts: Sequence[Outgoing]) -> tuple[float, float]:
        """Seconds from the first start until the last saga's last event, and until the tracker has the last."""
        began = time.monotonic()
        self.publish(starts)
        self._until(self._is_through)
        return self._seen.done_at - began, (self._seen.completed_at if self._tracker else self._seen.done_at) - began

    def close(self) -> None:
        """Release the connections."""
        self._producer.flush(5)
        self._consumer.close()

    def _is_through(self) -> bool:
        return self._seen.done == self._sent and (not self._tracker or self._seen.completed == self._sent)

    def _until(self, is_over: Callable[[], bool]) -> None:
        """Read until it is over. Raises UnavailableError if nothing comes any more, or more than was asked for."""
        progress = time.monotonic()
        while not is_over():
            self._producer.poll(0)
            first = self._consumer.poll(0.5)
            if first is not None:
                progress = time.monotonic()
                self._note([first, *self._consumer.consume(9_999, 0)], progress)
            elif time.monotonic() - progress > PATIENCE:
                raise UnavailableError(f"{self._name}: {self._seen} of {self._sent}, then nothing: see build/bench")

    def _note(self, messages: Sequence[Message], at: float) -> None:
        seen = self._seen
        done = sum(message.topic() == self._last for message in messages)
        completed = sum(_is_end(message) for message in messages if message.topic() == self._lifecycle)
        if done:
            seen.done, seen.done_at = seen.done + done, at
        if completed:
            seen.completed, seen.completed_at = seen.completed + completed, at
        if seen.done > self._sent or seen.completed > self._sent:
            raise UnavailableError(f"{self._name}: {seen}, but {self._sent} sagas were started: something came twice")


def _is_end(message: Message) -> bool:
    return dict(message.headers() or []).get("ce_type") == b"saga.completed"
