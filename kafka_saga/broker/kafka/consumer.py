"""The group consumer on real Kafka, read-committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Thread

from confluent_kafka import Consumer as Client
from confluent_kafka import TopicPartition as Place

from kafka_saga.broker.kafka.committed import committed
from kafka_saga.broker.kafka.errors import LOG, OURS, note
from kafka_saga.broker.kafka.messages import READING, Passed
from kafka_saga.broker.kafka.messages import places as places_of
from kafka_saga.broker.port import Listener
from kafka_saga.broker.records import Committed, Record, TopicPartition

COMMITTED_TIMEOUT = 30.0
"""Seconds for looking up committed offsets: more than transaction.timeout.ms, since it waits for pending ones."""

Listening = Callable[[Sequence[TopicPartition]], None]

JOINING = 5.0
"""Seconds beyond a session, after which a member that has no word from its group asks with a new client."""


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
        membership: dict[str, object] = {"group.id": group, "session.timeout.ms": round(session_timeout * 1000)}
        membership["heartbeat.interval.ms"] = max(200, round(session_timeout * 1000 / 4))
        if instance:
            membership["group.instance.id"] = f"{group}-{instance}"
        own = {**membership, "enable.partition.eof": True, "error_cb": note}
        self._config: dict[str, object] = {**READING, **own, **properties}
        self._topics = list(topics)
        self._listener = listener
        self._rebalances = 0
        self._passed = Passed()
        self._failure: Exception | None = None
        self._patience = session_timeout + JOINING
        self._join()

    def poll(self, timeout: float, limit: int) -> list[Record]:
        """As `Consumer.poll`. What was fetched before a rebalance in the same call is not returned: it comes again."""
        if self._asks_since is not None and time.monotonic() - self._asks_since > self._patience:
            OURS.warning("no partitions from the group for %g s: asking again with a new client", self._patience)
            self._start_over()
        before = self._rebalances
        first = self._client.poll(timeout)
        messages = [] if first is None else [first]
        if messages and limit > 1:
            messages += self._client.consume(limit - 1, 0)
        if self._failure is not None:
            raise self._failure
        if self._rebalances != before:
            return []
        return self._passed.records(messages)

    def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """As `Consumer.committed`."""
        return committed(self._client, partitions, COMMITTED_TIMEOUT)

    def assign(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """As `Consumer.assign`."""
        places = places_of(positions)
        self._passed.clear()
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

    def positions(self) -> Mapping[TopicPartition, int]:
        """As `Consumer.positions`."""
        return dict(self._passed.positions)

    def ended(self) -> frozenset[TopicPartition]:
        """As `Consumer.ended`."""
        return frozenset(self._passed.ended)

    def rejoin(self) -> None:
        """As `Consumer.rejoin`."""
        places = self._client.assignment()
        self._called(self._listener.on_lost, places)
        self._start_over()

    def group_metadata(self) -> object:
        """As `Consumer.group_metadata`."""
        return self._client.consumer_group_metadata()

    def close(self) -> None:
        """As `Consumer.close`; a static member stays in the group until its session ends."""
        self._client.close()
        if self._failure is not None:
            raise self._failure

    def _join(self) -> None:
        self._asks_since: float | None = time.monotonic()
        self._client = Client(self._config, logger=LOG)
        self._client.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def _start_over(self) -> None:
        """Join with a new client: one whose coordinator has been away may never ask again (librdkafka issue 5511)."""
        left_behind = self._client
        self._join()
        Thread(target=left_behind.close, daemon=True, name="left behind").start()

    def _on_assign(self, client: Client, places: list[Place]) -> None:
        if client is self._client:
            self._asks_since = None
            self._called(self._listener.on_assign, places)

    def _on_revoke(self, client: Client, places: list[Place]) -> None:
        self._gone(client, self._listener.on_revoke, places)

    def _on_lost(self, client: Client, places: list[Place]) -> None:
        self._gone(client, self._listener.on_lost, places)

    def _gone(self, client: Client, listen: Listening, places: list[Place]) -> None:
        if client is self._client:
            self._asks_since = time.monotonic()
            self._called(listen, places)
        client.unassign()

    def _called(self, listen: Listening, places: list[Place]) -> None:
        """An exception must not cross librdkafka: it is kept, and raised by `poll`."""
        self._rebalances += 1
        try:
            listen([TopicPartition(place.topic, place.partition) for place in places])
        except Exception as error:  # raised again in poll
            self._failure = self._failure or error
