"""Idempotency keys: which request each was given with. The log of commands tells it, so that every worker knows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka_saga.api.problems import ProblemType
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.inspection.commands.sending import Keyed, keyed
from kafka_saga.inspection.log.reading import read_on
from kafka_saga.views.http_api.problems import ApiError

REMEMBERED = 24 * 3600 * 1000
"""Milliseconds that a key is known; then it may be used for something else."""


@dataclass(frozen=True, slots=True)
class Given:
    """What has been given under a key: the sagas by the ids of their commands, none's name if it is about a scope."""

    request: Keyed
    at: int
    sagas: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all of it is on the log; if not, it is given again, and what is there counts once."""
        return len(self.sagas) >= self.request.size


class IdempotencyKeys:
    """The keys of the last day. Thread-safe; calls that take a cluster block."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._known: dict[str, Given] = {}
        self._positions: Mapping[TopicPartition, int] = {}
        self._in_hand: Counter[Keyed] = Counter()

    @contextmanager
    def in_hand(self, request: Keyed) -> Iterator[None]:
        """While a request is put on the log, no other one may have its key; for one thread. Raises ApiError (409)."""
        for other in self._in_hand:
            _refuse_another(request, other)
        self._in_hand[request] += 1
        try:
            yield
        finally:
            self._in_hand[request] -= 1
            self._in_hand += Counter()  # what is at nought goes

    def find(self, cluster: Cluster, request: Keyed, now: int) -> Given | None:
        """What was given under this key by the same request; `now` is milliseconds UTC. Raises ApiError (409)."""
        with self._reading:
            self._positions = read_on(cluster, SAGA_COMMANDS, self._positions, self._take)
            self._known = {key: one for key, one in self._known.items() if one.at > now - REMEMBERED}
        return self.known(request)

    def known(self, request: Keyed) -> Given | None:
        """As `find`, by what has been read, or given here; does not block."""
        given = self._known.get(request.key)
        if given is not None:
            _refuse_another(request, given.request)
        return given

    def note(self, request: Keyed, now: int, sagas: dict[str, str]) -> None:
        """This worker has just given it: others see it when the transaction's markers are written, a moment later."""
        with self._reading:
            self._note(request, now, sagas)

    def _note(self, request: Keyed, at: int, sagas: dict[str, str]) -> None:
        self._known.setdefault(request.key, Given(request, at)).sagas.update(sagas)

    def _take(self, record: Record) -> None:
        request = keyed(record)
        if request is not None:
            headers = dict(record.headers)
            command, saga_id = headers.get("ce_id") or b"", headers.get("ce_subject") or b""
            sagas = {command.decode(errors="replace"): saga_id.decode(errors="replace")}
            self._note(request, record.timestamp, sagas)


def _refuse_another(request: Keyed, other: Keyed) -> None:
    """Raises ApiError (409) if the other one has the same key, and asks for something else."""
    if request.key == other.key and request.fingerprint != other.fingerprint:
        raise ApiError(
            409,
            f"Another command was given under the key {request.key!r} before: nothing was done. Give this one a key of "
            "its own, or send the very same command to hear of it again.",
            kind=ProblemType.KEY_REUSED,
        )
