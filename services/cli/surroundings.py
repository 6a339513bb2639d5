"""What the cluster knows about a saga besides its state: who would work on it, what is before it, what holds it up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from schemas import control
from schemas.control import ControlEntry, Hold
from services.chassis.offsets import Position
from services.chassis.offsets import decode as position_of
from services.chassis.port import Cluster
from services.chassis.records import Record, TopicPartition
from services.cli.diagnosis import TRACKER, service_of
from services.cli.groups import Groups
from services.cli.letters import DeadLetter, letters_in
from services.cli.reading import latest, to_the_end
from services.tracker.core.state import SagaState, StepState, StepStatus
from topology.topics import SAGA_CONTROL

MOST = 10_000
"""How many records of a queue are counted."""

_AT_SERVICE = frozenset({StepStatus.QUEUED, StepStatus.RUNNING, StepStatus.COMPENSATING})
_OURS = "1|"


class Place(StrEnum):
    """Where a delivery is: before its service, with it, or done there; not known if it was not found."""

    QUEUED = "queued"
    TAKEN = "taken"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The record that asks a step to work: where it lies by its offset, or by the id of the tracker's command."""

    at: TopicPartition
    id: str
    offset: int | None = None

    def is_mine(self, record: Record) -> bool:
        """Whether a record of that partition is it."""
        if self.offset is not None:
            return record.offset == self.offset
        return dict(record.headers).get("ce_id") == self.id.encode()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that has work: its service (none: not known) and how many instances of it are there.

    `ahead` counts the unfinished records before the delivery, up to `MOST`; `still` is what the service says if it
    stands still there.
    """

    step: str
    delivery: Delivery
    service: str | None
    instances: int
    place: Place = Place.UNKNOWN
    ahead: int = 0
    still: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A pause of more than the saga, as services know it: of a key prefix, a definition or a step."""

    scope: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for one saga outside its state, as of now."""

    trackers: int
    waiting: tuple[Waiting, ...] = ()
    held: tuple[Held, ...] = ()
    letters: tuple[DeadLetter, ...] = field(default=())


def surroundings_of(
    cluster: Cluster, groups: Groups, state: SagaState, said: Mapping[str, Sequence[str]]
) -> Surroundings:
    """Look around a saga; `said` is what services say of themselves, by name. Raises UnavailableError."""
    if state.status.is_final:
        return Surroundings(groups.members([TRACKER]).get(TRACKER, 0), letters=letters_of(cluster, state))
    waiting = [_waiting(cluster, groups, state, step, said) for step in state.steps if step.status in _AT_SERVICE]
    return Surroundings(
        trackers=groups.members([TRACKER]).get(TRACKER, 0),
        waiting=tuple(one for one in waiting if one is not None),
        held=held_in(control_of(cluster, state), state),
        letters=letters_of(cluster, state),
    )


def delivery_of(state: SagaState, step: StepState) -> Delivery | None:
    """The record that a step at work has to do: its trigger, or the last command to it; none if it is not known."""
    is_undone = step.status is StepStatus.COMPENSATING
    sent = next((one for one in reversed(state.sent) if one.step == step.name and one.undoes is is_undone), None)
    about = step.runs[-1].about if step.runs else None
    if sent is not None and (is_undone or sent.about == about):
        return Delivery(TopicPartition(f"{step.name}.work", state.partition), sent.id)
    trigger = next((event for event in state.events if event.id == about), None)
    if trigger is None:
        return None
    return Delivery(TopicPartition(trigger.type, state.partition), trigger.id, trigger.offset)


def place_of(delivery: Delivery, position: Position | None, records: Iterable[Record]) -> tuple[Place, int]:
    """Where a delivery is, and how many unfinished records are before it, by what its service has committed.

    `records` are those of the partition from the lowest unfinished one on.
    """
    if position is not None and delivery.offset is not None and not _is_open(position, delivery.offset):
        return Place.ENDED, 0
    ahead = 0
    for record in records:
        if delivery.is_mine(record):
            return _place(position, record.offset), ahead
        ahead += position is None or _is_open(position, record.offset)
        if ahead >= MOST:
            break
    return (Place.QUEUED if ahead >= MOST else Place.UNKNOWN), ahead


def held_in(entries: Mapping[str, ControlEntry], state: SagaState) -> tuple[Held, ...]:
    """The pauses of the saga's key, its definition and its unfinished steps; what its state tells is left out."""
    told = {control.of_prefix(pause.scope) for pause in state.pauses if pause.until is None}
    steps = [step.name for step in state.steps if step.status is StepStatus.WAITING or step.status.is_open]
    scopes = [scope for scope in entries if scope.startswith(control.PREFIX) and scope not in told]
    scopes = [scope for scope in scopes if state.key.startswith(scope.removeprefix(control.PREFIX))]
    scopes += [control.of_definition(state.definition), *(control.of_step(state.definition, step) for step in steps)]
    found = ((scope, entries[scope].paused) for scope in scopes if scope in entries)
    return tuple(Held(scope, hold) for scope, hold in found if hold is not None)


def letters_of(cluster: Cluster, state: SagaState) -> tuple[DeadLetter, ...]:
    """The dead letters that name the saga and were not redriven."""
    mine = state.saga_id.encode()
    found = letters_in(cluster, [state.partition])
    return tuple(one for one in found if dict(one.headers).get("ce_subject") == mine and one.redriven_at is None)


def owner_of(groups: Groups, state: SagaState, step: str, delivery: Delivery) -> str | None:
    """The service of a step: known beforehand, or the only group that has committed as our services do."""
    if (known := service_of(state.definition, step)) is not None:
        return known
    places = [TopicPartition(f"{step}.work", state.partition), delivery.at]
    for at in dict.fromkeys(places):
        owners = [name for name in groups.names() if name != TRACKER and _is_service(groups, name, at)]
        if len(owners) == 1:
            return owners[0]
    return None


def _waiting(
    cluster: Cluster, groups: Groups, state: SagaState, step: StepState, said: Mapping[str, Sequence[str]]
) -> Waiting | None:
    delivery = delivery_of(state, step)
    if delivery is None:
        return None
    service = owner_of(groups, state, step.name, delivery)
    if service is None:
        return Waiting(step.name, delivery, None, 0)
    committed = groups.committed(service, [delivery.at]).get(delivery.at)
    position = None if committed is None else position_of(committed)
    place, ahead = place_of(delivery, position, _records(cluster, delivery.at, committed.offset if committed else None))
    instances = groups.members([service]).get(service, 0)
    begin = f"{delivery.at.topic}[{delivery.at.partition}] stands still"
    still = next((reason for reason in said.get(service, ()) if reason.startswith(begin)), None)
    return Waiting(step.name, delivery, service, instances, place, ahead, still)


def _records(cluster: Cluster, at: TopicPartition, start: int | None) -> Iterator[Record]:
    if at.topic not in cluster.admin().partitions([at.topic]):
        return
    reader = cluster.reader()
    try:
        yield from to_the_end(reader, {at: start})
    finally:
        reader.close()


def control_of(cluster: Cluster, state: SagaState) -> dict[str, ControlEntry]:
    """The entries of `saga.control` in a saga's partition, by scope."""
    values = latest(_records(cluster, TopicPartition(SAGA_CONTROL, state.partition), None))
    return {scope: entry for scope, value in values.items() if (entry := _entry(value)) is not None}


def _entry(value: bytes) -> ControlEntry | None:
    try:
        return control.decode(value)
    except msgspec.DecodeError:  # written by a newer tracker: services pass over it, too
        return None


def _is_service(groups: Groups, name: str, at: TopicPartition) -> bool:
    committed = groups.committed(name, [at]).get(at)
    return committed is not None and committed.metadata.startswith(_OURS)


def _is_open(position: Position, offset: int) -> bool:
    return offset >= position.next or offset in position.unfinished


def _place(position: Position | None, offset: int) -> Place:
    if position is None or offset >= position.next:
        return Place.QUEUED
    return Place.TAKEN if offset in position.unfinished else Place.ENDED
