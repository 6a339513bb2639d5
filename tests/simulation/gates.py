"""Invariant 8 of DESIGN 7, the gate: what is cancelled does not start, and everybody follows `saga.control`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from schemas import control
from tests.simulation.handlers import Called, Sight
from tests.simulation.history import Complaints, History, Seen
from topology.topics import SAGA_CONTROL

Entries = Mapping[str, Sequence[Seen]]
"""The records of `saga.control` about each scope, in their order."""


def nothing_starts_that_is_cancelled(log: History, calls: Sequence[Called]) -> Complaints:
    """8. No handler starts in a process that has read that its saga is cancelled, or has come to its partition since.

    Until a process has read the entry it may start one: how long that takes depends on what each poll returns.
    """
    entries = _entries(log)
    for call in calls:
        about = entries.get(control.of_saga(call.saga_id), ())
        if call.compensating or not about or not _is_cancelled(about, call):
            continue
        yield f"{call.saga_id}: {call.step} starts at {call.sight.process}, which must know that the saga is cancelled"


def control_is_followed(log: History, sights: Sequence[Sight]) -> Complaints:
    """8. When everything has come to rest, every process has read control to its end wherever it works."""
    ends = {seen.partition: seen.offset for seen in log.of(SAGA_CONTROL)}
    for process, _, read in sights:
        for number, offset in read.items():
            if offset <= ends.get(number, -1):
                yield f"{process} has read {SAGA_CONTROL}[{number}] to {offset}, and it reaches to {ends[number]}"


def _entries(log: History) -> Entries:
    found: dict[str, list[Seen]] = defaultdict(list)
    for seen in log.of(SAGA_CONTROL):
        found[(seen.key or b"").decode()].append(seen)
    return found


def _is_cancelled(about: Sequence[Seen], call: Called) -> bool:
    """Whether the last entry that the process must know cancels the saga, and nothing has lifted that since."""
    known = [
        seen for seen in about if seen.offset < call.sight.read.get(seen.partition, 0) or seen.at < call.sight.since
    ]
    if not known:
        return False
    later = [seen for seen in about if seen.offset > known[-1].offset and seen.at <= call.at]
    return all(_cancels(seen) for seen in (known[-1], *later))


def _cancels(seen: Seen) -> bool:
    return seen.value is not None and control.decode(seen.value).cancelled is not None
