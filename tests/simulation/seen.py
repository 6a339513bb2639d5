"""One committed record of the log with what its headers say, and the names by which sagas and steps are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga, Step
from kafka_saga.events.event import Event
from kafka_saga.wire.ids import key_of

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""

STRAY = "sim_stray"
"""The header of a record that is none: its value is the kind of stray, see `tests.simulation.plan.Stray`."""

GIVEN = "given"
"""The command that the outcome of a skipped step names."""

AGAIN = "sim_again"
"""The header of a record that somebody else has emitted again."""

OTHER = "sim_other"
"""The header of a normalised start that somebody else has published under an id of their own."""


class SagaName(NamedTuple):
    """A saga: the name of its definition, and its id. Two definitions may have sagas of one id."""

    definition: str
    id: str

    @property
    def key(self) -> str:
        """The business key."""
        return key_of(self.id)

    def __str__(self) -> str:
        return f"{self.id} ({self.definition})"


NOBODY = SagaName("", "")
"""What a complaint is about that is about no saga."""


class Seen(NamedTuple):
    """One committed record. `at` is its log time, which is `drift` milliseconds ahead of the time of day."""

    topic: str
    partition: int
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]
    drift: int = 0

    @property
    def place(self) -> Place:
        return (self.topic, self.partition, self.offset)

    @property
    def written_at(self) -> int:
        """When it was written, by the one true clock of the simulation."""
        return self.at - self.drift

    @property
    def id(self) -> str:
        return self.headers.get("ce_id", "")

    @property
    def cause(self) -> str:
        return self.headers.get("ce_causationid", "")

    @property
    def saga(self) -> str:
        return self.headers.get("ce_subject", "")

    @property
    def definition(self) -> str:
        return self.headers.get("ce_sagadefinition", "")

    @property
    def version(self) -> int:
        return _number(self.headers.get("ce_sagaversion", "1"))

    @property
    def name(self) -> SagaName:
        return SagaName(self.definition, self.saga)

    @property
    def step(self) -> str:
        return self.headers.get("ce_step", "")

    @property
    def type(self) -> str:
        return self.headers.get("ce_type", "")

    @property
    def epoch(self) -> int:
        return _number(self.headers.get("ce_epoch", "0"))

    @property
    def attempt(self) -> int:
        return _number(self.headers.get("ce_attempt", "1"))

    @property
    def command(self) -> str | None:
        return self.headers.get("ce_command")

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has emitted it again."""
        return AGAIN in self.headers

    @property
    def stray(self) -> str:
        """The kind of stray that it is; empty if it is none."""
        return self.headers.get(STRAY, "")

    @property
    def delivery(self) -> Place:
        """Of a report: the place of the record that asked for the work."""
        topic, partition, offset = self.headers["ce_delivery"].rsplit("/", 2)
        return (topic, int(partition), int(offset))

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Told(NamedTuple):
    """A lifecycle record with its event."""

    seen: Seen
    event: Event


@dataclass(frozen=True)
class StepOf:
    """A step of a definition, in all its versions: these share its name, its trigger and its topics."""

    definition: str
    name: str
    versions: Mapping[int, Step]

    @cached_property
    def on(self) -> str:
        """The type of the event that triggers it."""
        return self._any.on.event_type

    @cached_property
    def emits(self) -> tuple[str, ...]:
        """The types of its outcomes."""
        return tuple(dict.fromkeys(event.event_type for step in self.versions.values() for event in step.emits))

    @property
    def work_topic(self) -> str:
        return self._any.work_topic

    @property
    def compensated_type(self) -> str:
        return self._any.compensated_type

    def is_undone(self, version: int) -> bool:
        """Whether the step compensates in that version of its definition."""
        return version in self.versions and self.versions[version].compensates

    @property
    def _any(self) -> Step:
        return next(iter(self.versions.values()))


def steps_of(definitions: Iterable[Saga]) -> tuple[StepOf, ...]:
    """The steps of these definitions, those of several versions as one."""
    found: dict[tuple[str, str], dict[int, Step]] = {}
    for saga in definitions:
        for step in saga.steps:
            found.setdefault((saga.name, step.name), {})[saga.version] = step
    return tuple(StepOf(definition, name, versions) for (definition, name), versions in found.items())


def seen(record: Record, drift: int = 0) -> Seen:
    """A record with what its headers say; what is no text is replaced."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    return Seen(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers, drift
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
