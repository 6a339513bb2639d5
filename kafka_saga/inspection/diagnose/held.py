"""What is paused beyond single sagas: definitions, steps and key prefixes, with the sagas that come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from kafka_saga.api.topology import PausedScope
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.inspection.log.reading import NotFoundError, read_on
from kafka_saga.inspection.log.times import stamp
from kafka_saga.wire import control
from kafka_saga.wire.control import ControlEntry, Hold


@dataclass(frozen=True, slots=True)
class _Known:
    """What the log has told, up to where: who holds what, by partition and scope."""

    read_to: Mapping[TopicPartition, int] = field(default_factory=dict)
    found: Mapping[tuple[int, str], Hold] = field(default_factory=dict)


class Holds:
    """The pauses of wide scopes, as `saga.control` tells of them; each look reads what came since the one before.

    Looks may overlap: what one has learnt is taken over as a whole, once it is at the end.
    """

    def __init__(self) -> None:
        self._known = _Known()

    def look(self, cluster: Cluster) -> tuple[PausedScope, ...]:
        """What is paused now, by scope; nothing before the tracker has run. Raises UnavailableError."""
        known = self._known
        found = dict(known.found)
        try:
            read_to = read_on(cluster, SAGA_CONTROL, known.read_to, lambda record: _take(found, record))
        except NotFoundError:
            return ()
        self._known = _Known(read_to, found)
        return self.paused()

    def paused(self) -> tuple[PausedScope, ...]:
        """What is paused, by scope: it is in every partition, each with its time, of which the earliest counts."""
        earliest: dict[str, Hold] = {}
        for (_, scope), hold in self._known.found.items():
            if scope not in earliest or hold.at < earliest[scope].at:
                earliest[scope] = hold
        return tuple(
            PausedScope(scope=scope, by=hold.by, reason=hold.reason, at=stamp(hold.at))
            for scope, hold in sorted(earliest.items())
        )


def _take(found: dict[tuple[int, str], Hold], record: Record) -> None:
    scope = (record.key or b"").decode(errors="replace")
    if control.is_wide(scope):
        hold = _hold(record.value)
        if hold is None:
            found.pop((record.partition, scope), None)
        else:
            found[record.partition, scope] = hold


def entry_of(value: bytes) -> ControlEntry | None:
    """An entry of `saga.control`; none if a newer tracker wrote it: services pass over it, too."""
    try:
        return control.decode(value)
    except msgspec.DecodeError:
        return None


def _hold(value: bytes | None) -> Hold | None:
    entry = None if value is None else entry_of(value)
    return None if entry is None else entry.paused
