"""How far partitions reach, undecided records included: asked of a broker that may have gone for a while."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Admin, Cluster
from kafka_saga.broker.records import TopicPartition
from kafka_saga.errors import UnavailableError

PAUSE = 0.5
"""Seconds before a broker that gave no answer is asked again."""


class Watermarks:
    """Asks without waiting: no answer now is an answer later."""

    def __init__(self, cluster: Cluster, clock: Clock, log: logging.Logger) -> None:
        self._cluster = cluster
        self._clock = clock
        self._log = log
        self._admin: Admin | None = None
        self._ask_at = 0.0

    def undecided(self, places: Sequence[TopicPartition], before: int) -> Mapping[TopicPartition, int]:
        """As `Admin.undecided`; nothing if there is no answer."""
        try:
            self._admin = self._admin or self._cluster.admin()
            return self._admin.undecided(places, before)
        except UnavailableError:
            return {}

    def ask(self, places: Sequence[TopicPartition], in_vain: str) -> Mapping[TopicPartition, int] | None:
        """One past the last written record of each; none if there is no answer: `in_vain` says what cannot be done."""
        if self._clock.monotonic() < self._ask_at:
            return None
        try:
            self._admin = self._admin or self._cluster.admin()
            return self._admin.end_offsets(places)
        except UnavailableError as error:
            self._log.warning("%s: %s", in_vain, error)
            # A client that has seen a broker restart may know its old leader epoch for ever: the next one is new.
            self._admin, self._ask_at = None, self._clock.monotonic() + PAUSE
            return None
