"""What lies on the log after a run, in a form that invariants can ask: nothing else is known here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import (
    DEAD_LETTERS,
    SAGA_COMMANDS,
    SAGA_CONTROL,
    SAGA_LIFECYCLE,
    SAGA_STATE,
    SAGA_STEPS,
)
from kafka_saga.errors import DecodeError
from kafka_saga.events.commands import SagaCommand
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import LIFECYCLE
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire import control
from kafka_saga.wire.codec import Codec
from tests.simulation.last_states import LastState, last_states
from tests.simulation.seen import NOBODY, OTHER, Place, SagaName, Seen, StepOf, Told, steps_of

__all__ = ["History", "Place", "SagaName", "Seen", "StepOf", "Told"]

TERMINAL = frozenset({"step.failed", "step.parked", "step.skipped"})

_codec = Codec((*LIFECYCLE, SagaCommand))


@dataclass
class History:
    """The log of these definitions; of one there may be several versions."""

    definitions: Sequence[Saga]
    records: Mapping[str, list[Seen]]

    def of(self, topic: str) -> list[Seen]:
        """The committed records of a topic, by partition and offset."""
        return self.records.get(topic, [])

    def sound(self, topic: str) -> list[Seen]:
        """Those of a topic that are no strays."""
        found = self.of(topic)
        return [seen for seen in found if not seen.stray] if topic in self._strayed else found

    @cached_property
    def _strayed(self) -> frozenset[str]:
        return frozenset(seen.topic for seen in self.strays)

    @cached_property
    def steps(self) -> tuple[StepOf, ...]:
        """The steps of all definitions."""
        return steps_of(self.definitions)

    @cached_property
    def start_topics(self) -> Mapping[str, str]:
        """The definitions by the types of their first events."""
        return {saga.starts_on.event_type: saga.name for saga in self.definitions}

    def step(self, definition: str, name: str) -> StepOf | None:
        """A step by its name; `None` if the definition has none of that name."""
        return self._steps_by_name.get((definition, name))

    @cached_property
    def _steps_by_name(self) -> Mapping[tuple[str, str], StepOf]:
        return {(step.definition, step.name): step for step in self.steps}

    def version(self, name: SagaName) -> int:
        """The version of its definition that a saga has started with."""
        return self._first[name].version if name in self._first else 1

    def saga_of(self, name: SagaName) -> Saga:
        """The definition that a saga follows."""
        versions = {saga.version: saga for saga in self.definitions if saga.name == name.definition}
        return versions.get(self.version(name)) or next(iter(versions.values()))

    # ---- events

    @cached_property
    def starts(self) -> list[Seen]:
        """Normalised starts: those that name a saga."""
        return [seen for topic in self.start_topics for seen in self.sound(topic) if seen.saga]

    @cached_property
    def events(self) -> list[Seen]:
        """Everything that carries on the sagas: starts, outcomes, by-products."""
        topics = dict.fromkeys(topic for saga in self.definitions for topic in saga.events)
        rest = (seen for topic in topics if topic not in self.start_topics for seen in self.sound(topic))
        return [*self.starts, *rest]

    def outcomes(self, step: StepOf) -> list[Seen]:
        """What a step has ended with."""
        return self._outcomes[step.definition, step.name]

    @cached_property
    def _outcomes(self) -> Mapping[tuple[str, str], list[Seen]]:
        return {
            (step.definition, step.name): [
                seen for event in step.emits for seen in self.sound(event) if seen.step == step.name
            ]
            for step in self.steps
        }

    @cached_property
    def compensated(self) -> list[Seen]:
        """Every `<step>.compensated`, in the order in which they were written."""
        found = (seen for step in self.steps for seen in self.sound(step.compensated_type))
        return sorted(found, key=lambda seen: seen.written_at)

    @cached_property
    def work(self) -> list[Seen]:
        """Every command of the tracker to a step."""
        return [seen for step in self.steps for seen in self.sound(step.work_topic)]

    @cached_property
    def asked(self) -> Mapping[str, Seen]:
        """The commands of the tracker by id."""
        return {seen.id: seen for seen in self.work}

    @cached_property
    def reports(self) -> list[Seen]:
        """Terminal reports: failed, parked, skipped."""
        return [seen for seen in self.sound(SAGA_STEPS) if seen.type in TERMINAL]

    @cached_property
    def by_id(self) -> Mapping[str, list[Seen]]:
        """Events by id; foreign duplicates have the same."""
        return _grouped(self.events)

    def time_of(self, event: Seen) -> int:
        """The log time of an event that counts: never before that of what has caused it."""
        return self._times.get(event.id, event.at)

    @cached_property
    def _times(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for seen in sorted(self.events, key=lambda seen: seen.written_at):
            found.setdefault(seen.id, max(seen.at, found.get(seen.cause, seen.at)))
        return found

    def chain(self, seen: Seen) -> Iterator[Seen]:
        """An event and what has caused it, back to the start; of a command that which it is about."""
        causes, known = self.by_id.get(seen.id, self.by_id.get(seen.cause)), set[str]()
        while causes and causes[0].id not in known:
            known.add(causes[0].id)
            yield causes[0]
            causes = self.by_id.get(causes[0].cause)

    @cached_property
    def at(self) -> Mapping[Place, Seen]:
        """Every record by its place."""
        return {seen.place: seen for records in self.records.values() for seen in records}

    # ---- strays, and what has come of them

    @cached_property
    def strays(self) -> list[Seen]:
        """The records that are none."""
        return [seen for records in self.records.values() for seen in records if seen.stray and not _is_letter(seen)]

    @cached_property
    def astray(self) -> frozenset[str]:
        """The ids of strays that name themselves, and of every event that one of them has led to."""
        found = {seen.id for seen in self.strays if seen.id and seen.id not in self.by_id}
        for seen in sorted(self.events, key=lambda seen: seen.written_at):
            if seen.cause in found:
                found.add(seen.id)
        return frozenset(found)

    # ---- what the tracker says

    @cached_property
    def told(self) -> list[Told]:
        """The lifecycle, in the order in which it was written."""
        found = sorted(self.of(SAGA_LIFECYCLE), key=lambda seen: (seen.written_at, seen.partition, seen.offset))
        return [Told(seen, _codec.decode(seen.type, seen.value)) for seen in found]

    def told_of(self, name: SagaName) -> list[Told]:
        """The lifecycle of one saga."""
        return self._told_by_saga.get(name, [])

    @cached_property
    def _told_by_saga(self) -> Mapping[SagaName, list[Told]]:
        found: dict[SagaName, list[Told]] = defaultdict(list)
        for told in self.told:
            found[told.seen.name].append(told)
        return found

    @cached_property
    def last_states(self) -> list[LastState]:
        """How the tracker's table ends, entry by entry."""
        return last_states(self.of(SAGA_STATE))

    @cached_property
    def states(self) -> Mapping[SagaName, SagaState]:
        """The last view of every saga; of one that has ended and is forgotten, the last before that."""
        own = (one for one in self.last_states if self.partition(one.name) in {None, one.seen.partition})
        return {one.name: one.state for one in own if not one.is_forgotten or one.state.status.is_final}

    def partition(self, name: SagaName) -> int | None:
        """The partition that a saga's records lie in; `None` if it has not started."""
        return self._first[name].partition if name in self._first else None

    @cached_property
    def _first(self) -> Mapping[SagaName, Seen]:
        """The first of the normalised starts of each saga."""
        return {seen.name: seen for seen in reversed(self.starts)}

    @cached_property
    def sagas(self) -> tuple[SagaName, ...]:
        """All sagas that were started."""
        return tuple(dict.fromkeys(seen.name for seen in self.starts))

    # ---- what people want

    @cached_property
    def commands(self) -> list[tuple[Seen, SagaCommand]]:
        """What people have asked for; a wide command lies in every partition."""
        decoded = ((seen, _decoded(seen)) for seen in self.sound(SAGA_COMMANDS))
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
        return frozenset(letter_of(seen) for seen in self.of(DEAD_LETTERS))

    def is_held(self, step: StepOf) -> bool:
        """Whether a step's deliveries may wait for somebody to resume it."""
        scopes = {control.of_step(step.definition, step.name), control.of_definition(step.definition)}
        return bool(self.held_scopes & scopes)

    def is_other(self, start: Seen) -> bool:
        """Whether a normalised start was published by somebody else."""
        return OTHER in start.headers


def letter_of(letter: Seen) -> Place:
    """Where the record lay that a dead letter keeps."""
    return (letter.headers["dlq_topic"], int(letter.headers["dlq_partition"]), int(letter.headers["dlq_offset"]))


def about(seen: Seen | None) -> SagaName:
    """The saga that a record is about."""
    return seen.name if seen is not None else NOBODY


def _is_letter(seen: Seen) -> bool:
    return seen.topic == DEAD_LETTERS


def _grouped(events: Iterable[Seen]) -> Mapping[str, list[Seen]]:
    found: dict[str, list[Seen]] = defaultdict(list)
    for seen in events:
        found[seen.id].append(seen)
    return found


def _decoded(seen: Seen) -> Event | None:
    try:
        return _codec.decode(seen.type, seen.value)
    except (DecodeError, KeyError):
        return None
