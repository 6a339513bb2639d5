"""The loop of both references: consume, work, offsets, commit, written flat, with the framework's client settings."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from kafka_saga.broker.kafka.errors import LOG
from kafka_saga.broker.kafka.messages import READING
from kafka_saga.broker.kafka.producer import TRANSACTIONS, WRITING
from kafka_saga.worker.settings import Settings

CALL = 5.0
"""Seconds that a call to the coordinator may take."""

IDLE = 0.5
"""Seconds that an idle loop waits for a record, as in the framework."""

BATCH = 1_000
"""The most records of a transaction."""

TRACKED = ("chain.started", "one.done", "two.done", "three.done", "four.done")
"""The events of the chain, in order."""

Produce = Callable[..., None]
Work = Callable[[Sequence[Message], Produce], None]


def group_properties(group: str, settings: Settings) -> dict[str, object]:
    """What the framework gives to its group consumer."""
    return {
        **READING,
        "group.id": group,
        "session.timeout.ms": round(settings.session_timeout * 1000),
        "heartbeat.interval.ms": max(200, round(settings.session_timeout * 1000 / 4)),
        **settings.kafka_properties,
    }


def transactional_properties(group: str, settings: Settings) -> dict[str, object]:
    """What the framework gives to its transactional producer."""
    return {
        **WRITING,
        **TRANSACTIONS,
        "transactional.id": f"{group}-{uuid.uuid4().hex}",
        "transaction.timeout.ms": round(settings.transaction_timeout * 1000),
        **settings.kafka_properties,
    }


def publisher_properties(properties: Mapping[str, object]) -> dict[str, object]:
    """What the framework gives to its plain producer."""
    return {**WRITING, "enable.idempotence": True, **properties}


def forever(group: str, topics: Sequence[str], work: Work) -> None:
    """Read, work and commit until SIGTERM. Any error ends the process: a reference has no error handling."""
    settings = Settings()
    gc.freeze()  # the framework does the same
    gc.set_threshold(100_000, 50, 100)
    producer = Producer(transactional_properties(group, settings), logger=LOG)
    producer.init_transactions(CALL)
    consumer = Consumer(group_properties(group, settings), logger=LOG)
    consumer.subscribe(list(topics), on_assign=_say_assigned)
    signal.signal(signal.SIGTERM, _stop)
    while True:
        first = consumer.poll(IDLE)
        if first is None:
            continue
        messages = [first, *consumer.consume(BATCH - 1, 0)]
        producer.begin_transaction()
        work(messages, producer.produce)
        producer.send_offsets_to_transaction(positions(messages), consumer.consumer_group_metadata(), CALL)
        producer.commit_transaction(CALL)


def positions(messages: Sequence[Message]) -> list[TopicPartition]:
    """One past the last message of each partition."""
    last = {(message.topic(), message.partition()): message.offset() for message in messages}
    return [TopicPartition(topic or "", part or 0, (offset or 0) + 1) for (topic, part), offset in last.items()]


def now() -> int:
    """The time of day, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _say_assigned(_: Consumer, places: list[TopicPartition]) -> None:
    sys.stderr.write(f"assigned: {len(places)} partitions\n")
    sys.stderr.flush()


def _stop(_: int, __: FrameType | None) -> None:
    os._exit(0)
