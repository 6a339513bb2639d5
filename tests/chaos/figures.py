"""What a run comes to, in numbers: how sagas ended, what was done to whom, and how soon all was well again."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_STATE
from tests.chaos.handlers import STEPS

TRACKER = "tracker"
BROKER = "broker"

Signs = Mapping[str, Sequence[Sequence[int]]]
"""When each group has produced something, in milliseconds UTC and in order, by partition number."""


class Hit(NamedTuple):
    """Somebody has been killed or stopped, at a time in milliseconds UTC."""

    at: int
    kind: str
    group: str
    name: str


class Recovery(NamedTuple):
    """How long after a hit its group had produced something in every partition, in milliseconds."""

    hit: Hit
    milliseconds: int

    def __str__(self) -> str:
        return f"{self.milliseconds / 1000:.1f} s"


@dataclass
class Figures:
    """The numbers of a run."""

    sagas: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    exits: int = 0
    lost: int = 0
    doubled: int = 0
    records: int = 0
    settling: float = 0.0
    hanging: int = 0
    recoveries: Sequence[Recovery] = ()

    def lines(self) -> Iterator[str]:
        """As a table for people."""
        kills = sum(number for kind, number in self.hits.items() if kind.startswith("kill"))
        yield f"sagas started           {self.sagas['started']:,}"
        yield from (f"  {status:22}{number:,}" for status, number in sorted(self.sagas.items()) if status != "started")
        yield f"kills                   {kills}"
        yield from (f"  {kind:22}{number}" for kind, number in sorted(self.hits.items()))
        yield f"exits by themselves     {self.exits}"
        yield f"commands given          {self.commands['given']}"
        yield f"  accepted              {self.commands['accepted']}"
        yield f"  refused               {self.commands['refused']}"
        yield f"effects outside         {self.outside['effects']:,}"
        yield f"  done again            {self.outside['again']:,}"
        yield f"  without an outcome    {self.outside['orphaned']:,} (process lost, then the work called off)"
        yield f"records on the log      {self.records:,}"
        yield f"lost                    {self.lost}"
        yield f"doubled                 {self.doubled}"
        if self.recoveries:
            by_length = sorted(self.recoveries, key=lambda each: each.milliseconds)
            middle, longest = by_length[len(by_length) // 2], by_length[-1]
            yield f"median recovery         {middle}"
            yield f"longest recovery        {longest}, after {longest.hit.kind} ({longest.hit.name})"
        yield f"time to settle          {self.settling:.1f} s"
        if self.hanging:
            yield f"hanging transactions    {self.hanging} (left without an end by Kafka, rolled back where they lay)"


def signs(records: Iterable[Record], partitions: int) -> Signs:
    """When each group has worked: events and reports are their step's, states are the tracker's."""
    found: defaultdict[str, list[list[int]]] = defaultdict(lambda: [[] for _ in range(partitions)])
    for record in records:
        group = TRACKER if record.topic == SAGA_STATE else _group(record)
        if group is not None:
            found[group][record.partition].append(record.timestamp)
    for times in found.values():
        for each in times:
            each.sort()
    return found


def recoveries(hits: Iterable[Hit], signs: Signs) -> list[Recovery]:
    """How long each hit was felt; none for one after which a partition had nothing more to do."""
    found = []
    for hit in hits:
        groups = list(signs) if hit.group == BROKER else [hit.group]
        times = [_next(each, hit.at) for group in groups for each in signs.get(group, ())]
        if times and None not in times:
            found.append(Recovery(hit, max(at for at in times if at is not None) - hit.at))
    return found


def _next(times: Sequence[int], at: int) -> int | None:
    place = bisect_right(times, at)
    return times[place] if place < len(times) else None


def _group(record: Record) -> str | None:
    headers = dict(record.headers)
    if headers.get("ce_source") == b"/tracker":
        return None
    return STEPS.get((headers.get("ce_step") or b"").decode())
