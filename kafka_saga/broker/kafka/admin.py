"""Topics and offsets of real Kafka."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec

from kafka_saga.broker.kafka.errors import LOG, error_of, note, unreachable
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.topics import TopicSpec, differences
from kafka_saga.errors import TopologyError, UnavailableError

T = TypeVar("T")


class KafkaAdmin:
    """See `Admin`. Every call raises UnavailableError if Kafka does not answer within `patience` seconds."""

    def __init__(self, properties: Mapping[str, Any], patience: float = 4.0) -> None:
        config: dict[str, Any] = {"error_cb": note, **properties}
        # The client must outlive its futures.
        self._client = AdminClient(config, logger=LOG)
        self._servers = str(properties.get("bootstrap.servers"))
        self._patience = patience

    def create_missing(self, specs: Sequence[TopicSpec]) -> tuple[str, ...]:
        """As `Admin.create_missing`."""
        existing = self._topics()
        missing = [spec for spec in specs if spec.name not in existing]
        if not missing:
            return ()
        new = [
            NewTopic(spec.name, spec.partitions, spec.replication_factor, config=dict(spec.config)) for spec in missing
        ]
        futures = self._client.create_topics(new, operation_timeout=self._patience * 5)
        created = tuple(name for name, future in futures.items() if self._created(name, future))
        self._await({spec.name for spec in specs})
        return created

    def differences(self, specs: Sequence[TopicSpec], beside: str | None = None) -> tuple[str, ...]:
        """As `Admin.differences`."""
        counts = self._topics()
        existing = [spec for spec in specs if spec.name in counts]
        resources = [ConfigResource(ConfigResource.Type.TOPIC, spec.name) for spec in existing]
        if not resources:
            return ()
        found = {
            resource.name: {name: entry.value or "" for name, entry in self._wait(future).items()}
            for resource, future in self._client.describe_configs(resources).items()
        }
        return tuple(
            sentence for spec in existing for sentence in differences(spec, found[spec.name], counts[spec.name], beside)
        )

    def partitions(self, topics: Sequence[str]) -> Mapping[str, int]:
        """As `Admin.partitions`."""
        counts = self._topics()
        return {topic: counts[topic] for topic in topics if topic in counts}

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """As `Admin.end_offsets`: a read-committed consumer's own call would give the last stable offset."""
        return self._offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)  # type: ignore[no-untyped-call]

    def undecided(self, partitions: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        """As `Admin.undecided`: the last stable offset lies before the first record of that time, or before the end."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        stable = self._offsets(partitions, latest, IsolationLevel.READ_COMMITTED)
        since = self._offsets(partitions, OffsetSpec.for_timestamp(before), IsolationLevel.READ_UNCOMMITTED)
        ends = self._offsets(partitions, latest, IsolationLevel.READ_UNCOMMITTED)
        first = {at: offset if offset >= 0 else ends[at] for at, offset in since.items()}
        return {at: offset for at, offset in stable.items() if offset < first[at]}

    def _offsets(
        self, partitions: Sequence[TopicPartition], spec: OffsetSpec, level: IsolationLevel
    ) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        futures = self._client.list_offsets({Place(*at): spec for at in partitions}, isolation_level=level)
        return {
            TopicPartition(place.topic, place.partition): self._wait(future).offset for place, future in futures.items()
        }

    def _topics(self) -> dict[str, int]:
        try:
            metadata = self._client.list_topics(timeout=self._patience)
        except KafkaException:
            raise unreachable(self._servers, self._patience) from None
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}

    def _await(self, names: set[str]) -> None:
        """Until the broker that we ask knows these topics: it hears of new ones from the controller, a little later."""
        until = time.monotonic() + self._patience * 5
        while missing := names - set(self._topics()):
            if time.monotonic() > until:
                raise UnavailableError(f"Kafka at {self._servers} does not show topic {min(missing)} yet.")
            time.sleep(0.02)

    def _created(self, name: str, future: Future[None]) -> bool:
        try:
            future.result(self._patience * 5)
        except KafkaException as raised:
            error = error_of(raised)
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise TopologyError(f"topic {name} cannot be created: {error.str()}") from None
        except TimeoutError:
            raise unreachable(self._servers, self._patience * 5) from None
        return True

    def _wait(self, future: Future[T]) -> T:
        try:
            return future.result(self._patience)
        except TimeoutError:
            raise unreachable(self._servers, self._patience) from None
        except KafkaException as raised:
            said = error_of(raised).str().rstrip(".")
            raise UnavailableError(f"Kafka at {self._servers} refuses: {said}.") from None
