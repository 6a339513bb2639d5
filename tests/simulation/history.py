"""What lies on the log after a run, in a form that invariants can ask: nothing else is known here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from schemas import control
from schemas.codec import Codec
from schemas.event import Event
from schemas.events.commands import SagaCommand
from schemas.events.lifecycle import LIFECYCLE
from services.chassis.memory import MemoryCluster
from services.chassis.records import Record
from services.tracker.core.state import SagaState, decode
from topology.model import Saga, Step
from topology.topics import (
    DEAD_LETTERS,
    SAGA_COMMANDS,
    SAGA_CONTROL,
    SAGA_LIFECYCLE,
    SAGA_STATE,
    SAGA_STEPS,
)

Place = tuple[str, int, int]

Complaints = Iterator[str]
"""What an invariant says: a sentence for each thing that is not as it must be."""

TERMINAL = frozenset({"step.failed", "step.parked", "step.skipped"})

_codec = Codec((*LIFECYCLE, SagaCommand))


class Seen(NamedTuple):
    """One committed record with what its headers say."""

    topic: str
    partition: int
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]

    @property
    def place(self) -> Place:
        return (self.topic, self.partition, self.offset)

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
    def step(self) -> str:
        return self.headers.get("ce_step", "")

    @property
    def type(self) -> str:
        return self.headers.get("ce_type", "")

    @property
    def epoch(self) -> int:
        return int(self.headers.get("ce_epoch", "0"))

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has emitted it again."""
        return "sim_again" in self.headers

    @property
    def command(self) -> str | None:
        return self.headers.get("ce_command")

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


@dataclass
class History:
    """The log of one definition."""

    saga: Saga
    records: Mapping[str, list[Seen]]

    def of(self, topic: str) -> list[Seen]:
        """The committed records of a topic, by partition and offset."""
        return self.records.get(topic, [])

    @cached_property
    def starts(self) -> list[Seen]:
        """Normalised starts: those that name a saga."""
        return [seen for seen in self.of(self.saga.starts_on.event_type) if seen.saga]

    @cached_property
    def events(self) -> list[Seen]:
        """Everything that carries on the saga: starts, outcomes, by-products."""
        rest = (
            seen for topic in self.saga.events if topic != self.saga.starts_on.event_type for seen in self.of(topic)
        )
        return [*self.starts, *rest]

    def outcomes(self, step: Step) -> list[Seen]:
        """What a step has ended with."""
        return [seen for event in step.emits for seen in self.of(event.event_type) if seen.step == step.name]

    @cached_property
    def compensated(self) -> list[Seen]:
        """Every `<step>.compensated`, by log time."""
        found = (seen for step in self.saga.steps for seen in self.of(step.compensated_type))
        return sorted(found, key=lambda seen: seen.at)

    @cached_property
    def work(self) -> list[Seen]:
        """Every command of the tracker to a step."""
        return [seen for step in self.saga.steps for seen in self.of(step.work_topic)]

    @cached_property
    def asked(self) -> Mapping[str, Seen]:
        """The commands of the tracker by id."""
        return {seen.id: seen for seen in self.work}

    @cached_property
    def reports(self) -> list[Seen]:
        """Terminal reports: failed, parked, skipped."""
        return [seen for seen in self.of(SAGA_STEPS) if seen.type in TERMINAL]

    @cached_property
    def by_id(self) -> Mapping[str, list[Seen]]:
        """Events by id; foreign duplicates have the same."""
        found: dict[str, list[Seen]] = defaultdict(list)
        for seen in self.events:
            found[seen.id].append(seen)
        return found

    @cached_property
    def told(self) -> list[Told]:
        """The lifecycle, by log time."""
        found = sorted(self.of(SAGA_LIFECYCLE), key=lambda seen: (seen.at, seen.partition, seen.offset))
        return [Told(seen, _codec.decode(seen.type, seen.value)) for seen in found]

    def told_of(self, saga_id: str) -> list[Told]:
        """The lifecycle of one saga."""
        return [told for told in self.told if told.seen.saga == saga_id]

    @cached_property
    def states(self) -> Mapping[str, SagaState]:
        """The last view of every saga that is not forgotten."""
        found: dict[str, SagaState | None] = {}
        for seen in self.of(SAGA_STATE):
            found[(seen.key or b"").decode()] = decode(seen.value) if seen.value else None
        return {saga_id: state for saga_id, state in found.items() if state is not None}

    @cached_property
    def sagas(self) -> tuple[str, ...]:
        """The ids of all sagas that were started."""
        return tuple(dict.fromkeys(seen.saga for seen in self.starts))

    @cached_property
    def commands(self) -> list[tuple[Seen, SagaCommand]]:
        """What people have asked for; a wide command lies in every partition."""
        decoded = ((seen, _codec.decode(seen.type, seen.value)) for seen in self.of(SAGA_COMMANDS))
        return [(seen, command) for seen, command in decoded if isinstance(command, SagaCommand)]

    @cached_property
    def held_scopes(self) -> frozenset[str]:
        """The scopes that are paused at the end."""
        last = {((seen.key or b"").decode(), seen.partition): seen.value for seen in self.of(SAGA_CONTROL)}
        return frozenset(
            scope for (scope, _), value in last.items() if value and control.decode(value).paused is not None
        )

    @cached_property
    def dead(self) -> frozenset[Place]:
        """The places of records that were dead-lettered."""
        letters = (seen.headers for seen in self.of(DEAD_LETTERS))
        return frozenset((h["dlq_topic"], int(h["dlq_partition"]), int(h["dlq_offset"])) for h in letters)

    def is_held(self, step: Step) -> bool:
        """Whether a step's deliveries may wait for somebody to resume it."""
        name = self.saga.name
        return bool(self.held_scopes & {control.of_step(name, step.name), control.of_definition(name)})


def history(cluster: MemoryCluster, saga: Saga) -> History:
    """Everything committed on a cluster."""
    records = {
        topic: [_seen(record) for partition in partitions for record in partition.visible_from(0)]
        for topic, partitions in cluster.topics.items()
    }
    return History(saga, records)


def _seen(record: Record) -> Seen:
    headers = {name: value.decode() for name, value in record.headers}
    return Seen(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers)
