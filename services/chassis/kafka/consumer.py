"""Group consumer and groupless reader on real Kafka, read-committed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    KafkaError,
    KafkaException,
    Message,
)
from confluent_kafka import Consumer as Client
from confluent_kafka import TopicPartition as Place

from schemas.errors import UnavailableError
from services.chassis.kafka.errors import LOG, error_of, note
from services.chassis.port import Listener
from services.chassis.records import Committed, Headers, Record, TopicPartition

COMMITTED_TIMEOUT = 30.0
"""Seconds for looking up committed offsets: more than transaction.timeout.ms, since it waits for pending ones."""

_GROUP = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "range",
    "max.poll.interval.ms": 300_000,
    "queued.max.messages.kbytes": 16_384,
    "fetch.error.backoff.ms": 20,
    "fetch.queue.backoff.ms": 20,
}

COORDINATOR_BACKOFF = 0.05
"""Seconds before a coordinator that is about to move is asked again."""

_COORDINATOR_MOVES = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._WAIT_COORD,
        KafkaError._TRANSPORT,
    }
)


class KafkaConsumer:
    """A member of a consumer group."""

    def __init__(
        self,
        properties: Mapping[str, object],
        group: str,
        topics: Sequence[str],
        listener: Listener,
        session_timeout: float = 10.0,
        instance: str | None = None,
    ) -> None:
        membership = {"group.id": group, "session.timeout.ms": round(session_timeout * 1000)}
        membership["heartbeat.interval.ms"] = max(200, round(session_timeout * 1000 / 4))
        if instance:
            membership["group.instance.id"] = f"{group}-{instance}"
        self._client = Client({**_GROUP, **membership, "error_cb": note, **properties}, logger=LOG)
        self._listener = listener
        self._rebalances = 0
        self._failure: Exception | None = None
        self._client.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """As `Consumer.poll`. What was fetched before a rebalance in the same call is not returned: it comes again."""
        before = self._rebalances
        first = self._client.poll(timeout)
        messages = [first, *self._client.consume(limit - 1, 0)] if first is not None and limit > 1 else [first]
        if self._failure is not None:
            raise self._failure
        if self._rebalances != before:
            return []
        return [as_record(message) for message in messages if message is not None and _is_record(message)]

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """As `Consumer.committed`."""
        places = [Place(*at) for at in partitions]
        until = time.monotonic() + COMMITTED_TIMEOUT
        while (found := self._committed(places, until)) is None:
            time.sleep(COORDINATOR_BACKOFF)
        return {
            TopicPartition(place.topic, place.partition): Committed(place.offset, place.metadata or "")
            for place in found
            if place.offset >= 0
        }

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """As `Consumer.assign`."""
        places = _places(positions)
        self._client.assign(places)
        self._client.pause(places)

    def unassign(self) -> None:
        """As `Consumer.unassign`."""
        self._client.unassign()

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """As `Consumer.pause`."""
        self._client.pause([Place(*at) for at in partitions])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """As `Consumer.resume`."""
        self._client.resume([Place(*at) for at in partitions])

    def group_metadata(self) -> object:
        """As `Consumer.group_metadata`."""
        return self._client.consumer_group_metadata()

    def close(self) -> None:
        """As `Consumer.close`; a static member stays in the group until its session ends."""
        self._client.close()
        if self._failure is not None:
            raise self._failure

    def _committed(self, places: list[Place], until: float) -> list[Place] | None:
        """What the coordinator answers; none if it is about to move or starting. Raises UnavailableError at last."""
        try:
            found = self._client.committed(places, max(0.1, until - time.monotonic()))
            error = next((place.error for place in found if place.error is not None), None)
        except KafkaException as raised:
            error = error_of(raised)
        if error is None:
            return found
        if error.code() not in _COORDINATOR_MOVES or time.monotonic() > until:
            raise UnavailableError(f"the group's committed offsets cannot be looked up: {error.str()}")
        return None

    def _on_assign(self, _: Client, places: list[Place]) -> None:
        self._called(self._listener.on_assign, places)

    def _on_revoke(self, _: Client, places: list[Place]) -> None:
        self._called(self._listener.on_revoke, places)
        self._client.unassign()

    def _on_lost(self, _: Client, places: list[Place]) -> None:
        self._called(self._listener.on_lost, places)
        self._client.unassign()

    def _called(self, listen: object, places: list[Place]) -> None:
        """An exception must not cross librdkafka: it is kept, and raised by `poll`."""
        self._rebalances += 1
        try:
            listen([TopicPartition(place.topic, place.partition) for place in places])  # type: ignore[operator]
        except Exception as error:  # raised again in poll
            self._failure = self._failure or error


class KafkaReader:
    """A reader without a group."""

    def __init__(self, properties: Mapping[str, object]) -> None:
        own = {
            "group.id": f"saga-reader-{uuid.uuid4().hex}",
            "enable.partition.eof": True,
            # that a partition has ended is known when a fetch comes back empty: 500 ms by default
            "fetch.wait.max.ms": 50,
            "error_cb": note,
        }
        self._client = Client({**_GROUP, **own, **properties}, logger=LOG)
        self._ended: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """As `Reader.assign`."""
        self._ended.clear()
        self._positions.clear()
        self._client.assign(_places(positions))

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """As `Reader.poll`."""
        first = self._client.poll(timeout)
        if first is None:
            return []
        messages = [first, *self._client.consume(limit - 1, 0)] if limit > 1 else [first]
        return [record for message in messages if (record := self._seen(message)) is not None]

    def ended(self) -> frozenset[TopicPartition]:
        """As `Reader.ended`: those whose end-of-partition event was the last that came of them."""
        return frozenset(self._ended)

    def positions(self) -> Mapping[TopicPartition, int]:
        """As `Reader.positions`: its own stops before trailing markers, the end-of-partition event does not."""
        return dict(self._positions)

    def close(self) -> None:
        """As `Reader.close`."""
        self._client.close()

    def _seen(self, message: Message) -> Record | None:
        at = TopicPartition(message.topic() or "", _partition(message))
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(at)
            self._positions[at] = message.offset() or 0
            return None
        if not _is_record(message):
            return None
        self._ended.discard(at)
        record = as_record(message)
        self._positions[at] = record.offset + 1
        return record


def as_record(message: Message) -> Record:
    """A message as a value."""
    kind, timestamp = message.timestamp()
    headers: Headers = message.headers() or []  # type: ignore[assignment]
    return Record(
        message.topic() or "",
        _partition(message),
        message.offset() or 0,
        0 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        message.key(),
        message.value(),
        headers,
    )


def _partition(message: Message) -> int:
    partition = message.partition()
    return -1 if partition is None else partition


_PASSING = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError._PARTITION_EOF,
    }
)


def _is_record(message: Message) -> bool:
    """Whether a message is a record. Raises UnavailableError for an error that will not pass by itself."""
    error = message.error()
    if error is None:
        return True
    if error.fatal() or (error.code() not in _PASSING and not error.retriable()):
        raise UnavailableError(f"reading {message.topic() or 'from Kafka'} failed: {error.str()}")
    note(error)
    return False


def _places(positions: Mapping[TopicPartition, int | None]) -> list[Place]:
    return [Place(*at, OFFSET_BEGINNING if offset is None else offset) for at, offset in positions.items()]
