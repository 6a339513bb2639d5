"""Messages and positions as librdkafka has them, and as values; the settings that all readers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING, TIMESTAMP_NOT_AVAILABLE, KafkaError, Message
from confluent_kafka import TopicPartition as Place

from kafka_saga.broker.kafka.errors import note
from kafka_saga.broker.records import Headers, Record, TopicPartition
from kafka_saga.errors import UnavailableError

READING = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "range",
    "max.poll.interval.ms": 60_000,
    "queued.max.messages.kbytes": 16_384,
    "fetch.error.backoff.ms": 20,
    "fetch.queue.backoff.ms": 20,
}


def as_record(message: Message) -> Record:
    """A message as a value."""
    kind, timestamp = message.timestamp()
    headers: Headers = message.headers() or []  # type: ignore[assignment]
    return Record(
        message.topic() or "",
        partition_of(message),
        message.offset() or 0,
        0 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        message.key(),
        message.value(),
        headers,
    )


def partition_of(message: Message) -> int:
    """The partition of a message, -1 for an event that has none."""
    partition = message.partition()
    return -1 if partition is None else partition


_PASSING = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._MAX_POLL_EXCEEDED,
    }
)

_NOWHERE = TopicPartition("", -1)


class Passed:
    """How far partitions have been read: librdkafka's own position stops before trailing transaction markers."""

    def __init__(self) -> None:
        self.positions: dict[TopicPartition, int] = {}
        self.ended: set[TopicPartition] = set()

    def clear(self) -> None:
        """Another assignment."""
        self.positions.clear()
        self.ended.clear()

    def records(self, messages: Iterable[Message]) -> list[Record]:
        """The records among messages, many of one partition in a row. Raises UnavailableError as `_hear` does."""
        found: list[Record] = []
        at = _NOWHERE
        for message in messages:
            error = message.error()
            if error is not None:
                self._hear(message, error)
                at = _NOWHERE
                continue
            record = as_record(message)
            if record.topic != at.topic or record.partition != at.partition:
                at = TopicPartition(record.topic, record.partition)
                self.ended.discard(at)
            self.positions[at] = record.offset + 1
            found.append(record)
        return found

    def _hear(self, message: Message, error: KafkaError) -> None:
        """What an event tells. Raises UnavailableError for an error that will not pass by itself."""
        if error.code() == KafkaError._PARTITION_EOF:
            at = TopicPartition(message.topic() or "", partition_of(message))
            self.ended.add(at)
            self.positions[at] = max(message.offset() or 0, self.positions.get(at, 0))
        elif error.fatal() or (error.code() not in _PASSING and not error.retriable()):
            raise UnavailableError(f"reading {message.topic() or 'from Kafka'} failed: {error.str()}")
        else:
            note(error)


def places(positions: Mapping[TopicPartition, int | None]) -> list[Place]:
    """Positions as librdkafka wants them (none: from the beginning)."""
    return [Place(*at, OFFSET_BEGINNING if offset is None else offset) for at, offset in positions.items()]
