"""What a consumer group has committed, asked for by a consumer that bears its name."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from kafka_saga.broker.kafka.errors import error_of
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.errors import UnavailableError

BACKOFF = 0.05
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


def committed(
    client: Client, partitions: Sequence[TopicPartition], seconds: float
) -> Mapping[TopicPartition, Committed]:
    """For those of these partitions of which anything was committed; asked again while the coordinator moves.

    Raises UnavailableError if that is not known within `seconds`.
    """
    places = [Place(*at) for at in partitions]
    until = time.monotonic() + seconds
    while (found := _asked(client, places, until)) is None:
        time.sleep(BACKOFF)
    return {
        TopicPartition(place.topic, place.partition): Committed(place.offset, place.metadata or "")
        for place in found
        if place.offset >= 0
    }


def _asked(client: Client, places: list[Place], until: float) -> list[Place] | None:
    """What the coordinator answers; none if it is about to move or starting."""
    try:
        found = client.committed(places, max(0.1, until - time.monotonic()))
        error = next((place.error for place in found if place.error is not None), None)
    except KafkaException as raised:
        error = error_of(raised)
    if error is None:
        return found
    if error.code() not in _COORDINATOR_MOVES or time.monotonic() > until:
        raise UnavailableError(f"the group's committed offsets cannot be looked up: {error.str()}")
    return None
