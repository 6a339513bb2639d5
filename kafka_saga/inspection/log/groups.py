"""What consumer groups tell about services: how many instances there are, and how far they have come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_saga.broker.kafka.committed import committed
from kafka_saga.broker.kafka.errors import LOG, note, unreachable
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.errors import UnavailableError

NAMESAKES = 32
"""Of how many groups the consumers are kept that ask for what they have committed."""

T = TypeVar("T")


class Groups(Protocol):
    """The consumer groups of a cluster. Every call raises UnavailableError if Kafka does not answer."""

    def members(self, groups: Sequence[str]) -> Mapping[str, int]:
        """How many members each of these has; 0 for one that was never seen."""

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """What a group has committed for those of these partitions of which it has committed anything."""


class KafkaGroups:
    """The groups of a real Kafka; `properties` are librdkafka's, `patience` is in seconds."""

    def __init__(self, properties: Mapping[str, Any], patience: float) -> None:
        config: dict[str, Any] = {"error_cb": note, **properties}
        self._client = AdminClient(config, logger=LOG)
        self._namesake = lru_cache(NAMESAKES)(partial(_namesake, config))
        self._servers = str(properties.get("bootstrap.servers"))
        self._patience = patience

    def members(self, groups: Sequence[str]) -> Mapping[str, int]:
        """As `Groups.members`."""
        futures = self._client.describe_consumer_groups(list(groups), request_timeout=self._patience)
        described = {group: self._wait(future) for group, future in futures.items()}
        return {group: 0 if found is None else len(found.members) for group, found in described.items()}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """As `Groups.committed`."""
        try:
            return committed(self._namesake(group), partitions, self._patience)
        except UnavailableError:
            raise unreachable(self._servers, self._patience) from None

    def _wait(self, future: Future[T]) -> T | None:
        """What is answered; none if Kafka knows no such group."""
        try:
            return future.result(self._patience + 1)
        except (KafkaException, FutureTimeoutError) as error:
            if not _is_unknown_group(error):
                raise unreachable(self._servers, self._patience) from None
            return None


def _namesake(config: Mapping[str, Any], group: str) -> Client:
    """A consumer that bears a group's name, and never joins it.

    The admin client's call for committed offsets ends the process if a coordinator is about to move (librdkafka issue
    5040), as it is after a pause of the broker, and at the first question to a new cluster.
    """
    own = {"group.id": group, "enable.auto.commit": False, "isolation.level": "read_uncommitted"}  # waits for nobody
    return Client({**config, **own}, logger=LOG)


def _is_unknown_group(error: BaseException) -> bool:
    """Kafka 4 answers for a group that it has never seen with an error (KIP-1043), older ones with a dead group."""
    found = error.args[0] if error.args else None
    return getattr(found, "name", lambda: "")() == "GROUP_ID_NOT_FOUND"
