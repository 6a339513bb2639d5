"""What the cluster knows about a saga besides its state: who would work on it, what is before it, what holds it up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.reading import records_from
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_CONTROL, SAGA_STEPS
from kafka_saga.engine.offset_tracker import Position
from kafka_saga.engine.offset_tracker import decode as position_of
from kafka_saga.inspection.diagnose.diagnosis import TRACKER, started_by
from kafka_saga.inspection.diagnose.held import entry_of
from kafka_saga.inspection.log.dead_letters import DeadLetter, letters_in
from kafka_saga.inspection.log.deployed import Deployed
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.inspection.log.reading import latest
from kafka_saga.inspection.log.times import now
from kafka_saga.tracker.core.explain.around import Around, AtService, DeliveryPlace, Letter
from kafka_saga.tracker.core.pauses import wide_of
from kafka_saga.tracker.core.state import SagaState, StepState, StepStatus
from kafka_saga.wire.control import ControlEntry

MOST = 10_000
"""How many records of a queue are counted."""

FEW = 1_000
"""How many records are looked at for the first that the tracker has not read."""

QUESTIONS = 6
"""How many are put to Kafka at once."""

UNDECIDED_FOR = 60_000
"""Milliseconds after which a transaction should have ended: no service of ours holds one open so long."""


@dataclass(frozen=True, slots=True)
class AwaitedDelivery:
    """The record that asks a step to work: where it lies by its offset, or by the id of the tracker's command."""

    at: TopicPartition
    id: str
    offset: int | None = None

    def is_mine(self, record: Record) -> bool:
        """Whether a record of that partition is it."""
        if self.offset is not None:
            return record.offset == self.offset
        return dict(record.headers).get("ce_id") == self.id.encode()


def around_of(
    cluster: Cluster, groups: Groups, state: SagaState, said: Mapping[str, Sequence[str]], deployed: Deployed
) -> Around:
    """Look around a saga; `said` is what services say of themselves, by name. Raises UnavailableError.

    Where its definition is not known in its version, the latest is looked at.

    One question finds out whether Kafka answers at all: reading takes longer to give up. Then everything is asked at
    once: each takes a moment, and none depends on another.
    """
    trackers = groups.members([TRACKER]).get(TRACKER, 0)
    start = started_by(state.definition, deployed)
    definition = deployed.definition(state.definition, state.version) or deployed.latest.get(state.definition)
    at_work = [step for step in state.steps if step.status.is_at_service]
    with ThreadPoolExecutor(QUESTIONS) as asking:
        letters = asking.submit(letters_of, cluster, state)
        if state.status.is_final:
            return Around(definition, letters=_said(letters.result()), trackers=trackers, started_by=start)
        control_ = asking.submit(control_of, cluster, state.partition)
        lag = asking.submit(behind, cluster, groups, state, definition)
        stuck = asking.submit(undecided, cluster, state, definition)
        services = tuple(asking.map(lambda step: _at_service(cluster, groups, state, step, said, deployed), at_work))
        return Around(
            definition,
            wide_of(control_.result(), state),
            services,
            _said(letters.result()),
            trackers,
            lag.result() if trackers else 0,
            start,
            stuck.result(),
        )


def _said(letters: Iterable[DeadLetter]) -> tuple[Letter, ...]:
    return tuple(Letter(one.place, one.reason) for one in letters)


def delivery_of(state: SagaState, step: StepState) -> AwaitedDelivery | None:
    """The record that a step at work has to do: its trigger, or the last command to it; none if it is not known."""
    is_undone = step.status is StepStatus.COMPENSATING
    sent = next((one for one in reversed(state.sent) if one.step == step.name and one.undoes is is_undone), None)
    about = step.runs[-1].about if step.runs else None
    if sent is not None and (is_undone or sent.about == about):
        return AwaitedDelivery(TopicPartition(f"{step.name}.work", state.partition), sent.id)
    trigger = next((event for event in state.events if event.id == about), None)
    if trigger is None:
        return None
    return AwaitedDelivery(TopicPartition(trigger.type, state.partition), trigger.id, trigger.offset)


def place_of(
    delivery: AwaitedDelivery, position: Position | None, records: Iterable[Record]
) -> tuple[DeliveryPlace, int]:
    """Where a delivery is, and how many unfinished records are before it, by what its service has committed.

    `records` are those of the partition from the lowest unfinished one on.
    """
    if position is not None and delivery.offset is not None and not _is_open(position, delivery.offset):
        return DeliveryPlace.ENDED, 0
    ahead = 0
    for record in records:
        if delivery.is_mine(record):
            return _place(position, record.offset), ahead
        ahead += position is None or _is_open(position, record.offset)
        if ahead >= MOST:
            break
    return (DeliveryPlace.QUEUED if ahead >= MOST else DeliveryPlace.UNKNOWN), ahead


def letters_of(cluster: Cluster, state: SagaState) -> tuple[DeadLetter, ...]:
    """The dead letters that name the saga and were not redriven."""
    mine = state.saga_id.encode()
    found = letters_in(cluster, [state.partition])
    return tuple(one for one in found if dict(one.headers).get("ce_subject") == mine and one.redriven_at is None)


def behind(cluster: Cluster, groups: Groups, state: SagaState, definition: Saga | None) -> float:
    """How many seconds of the log the tracker has not read in a saga's partition."""
    topics = (*(definition.events if definition else {event.type for event in state.events}), SAGA_STEPS, SAGA_COMMANDS)
    known = cluster.admin().partitions(topics)
    places = [TopicPartition(topic, state.partition) for topic in topics if topic in known]
    committed = groups.committed(TRACKER, places)
    ends = cluster.admin().end_offsets(places)
    left: dict[TopicPartition, int | None] = {}
    left |= {at: committed[at].offset for at in places if at in committed and committed[at].offset < ends[at]}
    # What is left may be nothing but the markers of transactions.
    oldest = min((record.timestamp for record in islice(records_from(cluster, left), FEW)), default=None)
    return 0 if oldest is None else max(0, now() - oldest) / 1000


def undecided(cluster: Cluster, state: SagaState, definition: Saga | None) -> str:
    """Where in a saga's partition a transaction has no end, though it has written a good while ago; empty: nowhere."""
    steps = [step.work_topic for step in definition.steps] if definition else []
    events = definition.events if definition else {event.type for event in state.events}
    admin = cluster.admin()
    known = admin.partitions((*events, *steps, SAGA_STEPS, SAGA_COMMANDS, SAGA_CONTROL))
    found = admin.undecided([TopicPartition(topic, state.partition) for topic in known], now() - UNDECIDED_FOR)
    return ", ".join(f"{at.topic}[{at.partition}] at offset {offset}" for at, offset in sorted(found.items()))


def _at_service(
    cluster: Cluster,
    groups: Groups,
    state: SagaState,
    step: StepState,
    said: Mapping[str, Sequence[str]],
    deployed: Deployed,
) -> AtService:
    delivery, service = delivery_of(state, step), deployed.owner(state.definition, state.version, step.name)
    if delivery is None or service is None:
        return AtService(step.name)
    committed = groups.committed(service, [delivery.at]).get(delivery.at)
    position = None if committed is None else position_of(committed)
    place, ahead = place_of(delivery, position, _records(cluster, delivery.at, committed.offset if committed else None))
    instances = groups.members([service]).get(service, 0)
    begin = f"{delivery.at.topic}[{delivery.at.partition}] stands still"
    still = next((reason for reason in said.get(service, ()) if reason.startswith(begin)), "")
    return AtService(step.name, service, instances, place, ahead, still)


def _records(cluster: Cluster, at: TopicPartition, start: int | None) -> Iterator[Record]:
    """A partition from an offset on (none: from the beginning); nothing, if there is no such topic."""
    return records_from(cluster, {at: start}) if at.topic in cluster.admin().partitions([at.topic]) else iter(())


def control_of(cluster: Cluster, number: int) -> dict[str, ControlEntry]:
    """The entries of `saga.control` in one partition, by scope."""
    values = latest(_records(cluster, TopicPartition(SAGA_CONTROL, number), None))
    return {scope: entry for scope, value in values.items() if (entry := entry_of(value)) is not None}


def _is_open(position: Position, offset: int) -> bool:
    return offset >= position.next or offset in position.unfinished


def _place(position: Position | None, offset: int) -> DeliveryPlace:
    if position is None or offset >= position.next:
        return DeliveryPlace.QUEUED
    return DeliveryPlace.TAKEN if offset in position.unfinished else DeliveryPlace.ENDED
