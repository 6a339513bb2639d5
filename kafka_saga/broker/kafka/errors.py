"""What librdkafka's errors mean to us: try again, roll back, or give up; and its log lines, kept out of sight."""

from __future__ import annotations

import logging
from enum import Enum

from confluent_kafka import KafkaError, KafkaException

from kafka_saga.errors import UnavailableError

LOG = logging.getLogger("saga.librdkafka")
"""What librdkafka says."""

OURS = logging.getLogger("saga.kafka")
"""What we say about it."""


class Means(Enum):
    """What to do after an error of a transactional call."""

    AGAIN = 1
    ABORT = 2
    EXIT = 3


def meaning(error: KafkaError) -> Means:
    """How to go on (source: confluent-kafka, KafkaError.txn_requires_abort and retriable)."""
    if error.fatal():
        return Means.EXIT
    if error.txn_requires_abort():
        return Means.ABORT
    return Means.AGAIN if error.retriable() or error.code() == KafkaError._TIMED_OUT else Means.EXIT


def error_of(raised: KafkaException | BaseException) -> KafkaError:
    """The KafkaError inside an exception."""
    found = raised.args[0]
    return found if isinstance(found, KafkaError) else KafkaError(KafkaError._FAIL, str(found))


def unreachable(servers: str, seconds: float) -> UnavailableError:
    """Kafka does not answer."""
    return UnavailableError(
        f"Kafka does not answer at {servers} (waited {seconds:g} s). "
        "Start it with `saga kafka start`, or set SAGA_BOOTSTRAP_SERVERS to where it is."
    )


def note(error: KafkaError) -> None:
    """librdkafka's own reports of connections that come and go."""
    LOG.info("%s", error)
