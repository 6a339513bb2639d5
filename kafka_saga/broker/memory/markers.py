"""Transaction markers: a coordinator writes them to the partitions of a transaction one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kafka_saga.broker.memory.partition import State, Transaction
from kafka_saga.broker.records import TopicPartition

MarksAtOnce = Callable[[TopicPartition], bool]
"""Whether the marker of a partition is written as soon as its transaction ends; else it stays pending."""


def always(at: TopicPartition) -> bool:
    """The default: every marker is there when the coordinator answers."""
    return True


class Marker(NamedTuple):
    """How a transaction of a producer ends in one partition."""

    transactional_id: str
    at: TopicPartition
    transaction: Transaction
    state: State
