"""When the tracker has something to do next, read from its table on the log: so that time can be jumped over."""

from __future__ import annotations

import msgspec

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.definition.topics import SAGA_STATE


class _Due(msgspec.Struct, frozen=True):
    """What is needed of a saga's state."""

    due: int | None = None


_decoder = msgspec.json.Decoder(_Due)


class Dues:
    """The next due time of every saga, kept up to date with what was written to `saga.state` since the last look."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._read: dict[int, int] = {}
        self._dues: dict[bytes | None, int] = {}

    def after(self, now: int) -> int | None:
        """The first due time after `now`, in milliseconds UTC; none if nothing will happen by itself."""
        self._catch_up()
        return min((due for due in self._dues.values() if due > now), default=None)

    def are_overdue(self, now: int) -> bool:
        """Whether something was due before `now` and has not been done: the tracker reads, then judges."""
        self._catch_up()
        return any(due <= now for due in self._dues.values())

    def _catch_up(self) -> None:
        for partition in self._cluster.topics[SAGA_STATE]:
            for record in partition.visible_from(self._read.get(partition.number, 0)):
                self._read[partition.number] = record.offset + 1
                self._note(record.key, record.value)

    def _note(self, key: bytes | None, value: bytes | None) -> None:
        due = _due(value) if value else None
        if due is None:
            self._dues.pop(key, None)
        else:
            self._dues[key] = due


def _due(value: bytes) -> int | None:
    try:
        return _decoder.decode(value).due
    except msgspec.DecodeError:  # somebody else has written it: the tracker leaves it alone
        return None
