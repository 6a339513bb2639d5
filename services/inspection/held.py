"""What is paused beyond single sagas: definitions, steps and key prefixes, with the sagas that come later."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas import control
from schemas.api.topology import PausedScope
from schemas.control import ControlEntry, Hold
from services.chassis.port import Cluster
from services.chassis.records import Record, TopicPartition
from services.inspection.reading import to_the_end
from services.inspection.times import stamp
from topology.topics import SAGA_CONTROL

_WIDE = (control.DEFINITION, control.STEP, control.PREFIX)


class Holds:
    """The pauses of wide scopes, as `saga.control` tells of them; each look reads what came since the one before."""

    def __init__(self) -> None:
        self._read_to: dict[TopicPartition, int] = {}
        self._found: dict[tuple[int, str], Hold] = {}

    def look(self, cluster: Cluster) -> tuple[PausedScope, ...]:
        """What is paused now, by scope; nothing before the tracker has run. Raises UnavailableError."""
        count = cluster.admin().partitions([SAGA_CONTROL]).get(SAGA_CONTROL, 0)
        places = [TopicPartition(SAGA_CONTROL, number) for number in range(count)]
        if places:
            reader = cluster.reader()
            try:
                self.take(to_the_end(reader, {at: self._read_to.get(at) for at in places}))
                self._read_to |= reader.positions()
            finally:
                reader.close()
        return self.paused()

    def take(self, records: Iterable[Record]) -> None:
        """Learn from records of `saga.control`, in the order of each partition."""
        for record in records:
            scope = (record.key or b"").decode(errors="replace")
            if scope.startswith(_WIDE):
                hold = _hold(record.value)
                if hold is None:
                    self._found.pop((record.partition, scope), None)
                else:
                    self._found[record.partition, scope] = hold

    def paused(self) -> tuple[PausedScope, ...]:
        """What is paused, by scope: it is in every partition, each with its time, of which the earliest counts."""
        earliest: dict[str, Hold] = {}
        for (_, scope), hold in self._found.items():
            if scope not in earliest or hold.at < earliest[scope].at:
                earliest[scope] = hold
        return tuple(
            PausedScope(scope=scope, by=hold.by, reason=hold.reason, at=stamp(hold.at))
            for scope, hold in sorted(earliest.items())
        )


def entry_of(value: bytes) -> ControlEntry | None:
    """An entry of `saga.control`; none if a newer tracker wrote it: services pass over it, too."""
    try:
        return control.decode(value)
    except msgspec.DecodeError:
        return None


def _hold(value: bytes | None) -> Hold | None:
    entry = None if value is None else entry_of(value)
    return None if entry is None else entry.paused
