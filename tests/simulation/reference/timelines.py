"""What is known of each saga and when, and what the tracker has made of that: the log, sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kafka_saga.definition.model import Saga
from kafka_saga.events.commands import SagaCommand
from kafka_saga.wire.control import PREFIX
from tests.simulation.reference.clocks import Interval
from tests.simulation.seen import SagaName, Seen, Told


class Fact(NamedTuple):
    """An event or a report is known from a time on (milliseconds UTC), never before what caused it."""

    at: int
    depth: int
    seen: Seen


class Later(NamedTuple):
    """Another saga of the key has started after this one."""

    at: int
    saga: str


class Asked(NamedTuple):
    """A person's command about one saga."""

    at: int
    id: str
    command: SagaCommand


class Batch(NamedTuple):
    """What the tracker wrote about a saga at once: lifecycle in its order, and commands to steps.

    `until`: everything of log time before that was known; `None` if it was made of a record, not of a ruling.
    `goes_on`: another ruling was written at the same time, to which some of the commands to steps may belong.
    """

    until: int | None
    written: int
    told: tuple[Told, ...]
    work: tuple[Seen, ...]
    goes_on: bool = False


class Cut(NamedTuple):
    """Everything of log time before `until` was known in a partition, and what was due had been done at `written`."""

    until: int
    written: int


@dataclass
class Timeline:
    """Everything about one saga, each in the order of its time."""

    name: SagaName
    definition: Saga
    partition: int
    starts: list[Seen] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    forgotten_at: int | None = None
    """When the tracker has forgotten it."""

    held_since: set[int] = field(default_factory=set)
    """Since when the pauses last that services were told of."""

    unfit: list[Seen] = field(default_factory=list)
    """Events and reports that have no place in the saga: known before, not declared, or without a cause on the log."""


class Wide:
    """Pauses wider than one saga, by the partition that was told of them and their scope."""

    def __init__(self, pauses: Mapping[tuple[int, str], Sequence[Interval]]) -> None:
        self._pauses = pauses

    def of(self, partition: int, scope: str, by: int) -> list[Interval]:
        """The pauses of a scope as they were known by a time."""
        return _as_known(self._pauses.get((partition, scope), ()), by)

    def prefixes(self, partition: int, key: str, by: int) -> list[Interval]:
        """The pauses of every prefix of a key as they were known by a time."""
        scopes = [
            scope
            for number, scope in self._pauses
            if number == partition and scope.startswith(PREFIX) and key.startswith(scope.removeprefix(PREFIX))
        ]
        return [pause for scope in scopes for pause in self.of(partition, scope, by)]


class Log(NamedTuple):
    """The log of a run, sorted. `drifts`: by how many milliseconds a partition's clocks are apart at most."""

    timelines: Mapping[SagaName, Timeline]
    wide: Wide
    cuts: Mapping[int, Sequence[Cut]]
    drifts: Mapping[int, int]


def _as_known(pauses: Iterable[Interval], by: int) -> list[Interval]:
    return [(begin, end if end is not None and end < by else None) for begin, end in pauses if begin < by]
