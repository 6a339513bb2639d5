"""A plan run and judged: what was not as it must be, and the trace by which it can be understood."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from msgspec import structs

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.events.lifecycle import Ruling
from kafka_saga.tracker.core.state import SagaState, decode
from kafka_saga.wire.control import SAGA
from tests.simulation.complaints import Complaint, Complaints
from tests.simulation.evidence import ADDED_WITHIN, Evidence
from tests.simulation.findings import explained
from tests.simulation.history import History
from tests.simulation.invariants import complaints_of
from tests.simulation.plan import Plan
from tests.simulation.reference.compare import compare
from tests.simulation.replay import Replay, SilentTracker
from tests.simulation.seen import SagaName, Seen, seen
from tests.simulation.timing import Drifts, drift_of
from tests.simulation.world import PARTITIONS, World


class Verdict(NamedTuple):
    """What came of a plan. `complaints`: what is not as it must be, and is new; `known`: findings, and how often."""

    plan: Plan
    complaints: tuple[Complaint, ...]
    known: Mapping[str, int]
    world: World | None = None
    log: History | None = None

    @property
    def history(self) -> tuple[str, ...]:
        """What lies on the log, in the order in which it was written."""
        return tuple(_history(self.world, self.log)) if self.world and self.log else ()

    @property
    def trace(self) -> tuple[str, ...]:
        """What happened, and then what lies on the log."""
        return (*(self.world.notes if self.world else ()), "--- the log ---", *self.history)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is new that is not as it must be."""
        return not self.complaints


def judge(plan: Plan) -> Verdict:
    """Run a plan, and hold it against every invariant and the reference model."""
    world, log = World(plan), None
    try:
        world.run()
        log = _log(world)
        found = _complaints(world, log)
    except Exception as error:  # whatever a run ends with, it is the finding
        found = [Complaint(type(error).__name__, f"{error}\n{traceback.format_exc(limit=-4)}")]
    finally:
        world.system.close()
    news, known = explained(found, Evidence(plan, log or _log(world), world.added_at))
    return Verdict(plan, tuple(news), known, world, log)


def _complaints(world: World, log: History) -> list[Complaint]:
    found = complaints_of(world, log)
    if world.plan.is_untracked:
        return found
    again = same_states_again(log, world.cluster, Random(world.plan.seed), world.added_at)
    return [*found, *again, *compare(log)]


def _log(world: World) -> History:
    return history(world.cluster, world.definitions, world.brokers.drifts)


def history(cluster: MemoryCluster, definitions: Sequence[Saga], drifts: Drifts) -> History:
    """Everything committed on a cluster."""
    records = {
        topic: [
            seen(record, drift_of(drifts, TopicPartition(topic, record.partition), record.offset) if drifts else 0)
            for partition in partitions
            for record in partition.visible_from(0)
        ]
        for topic, partitions in cluster.topics.items()
    }
    return History(definitions, records)


def same_states_again(log: History, cluster: MemoryCluster, chance: Random, added_at: int | None = None) -> Complaints:
    """7. The same facts in another order, with the rulings where they were made, give the same states.

    A saga that was forgotten is left out: when that was is no ruling that the log tells of. So is one that a command
    was about before trackers knew its definition (`added_at`): it was refused then, and would not be now.
    """
    too_early = {
        command.scope.removeprefix(SAGA)
        for seen, command in log.commands
        if added_at is not None and seen.written_at <= added_at + ADDED_WITHIN
    }
    ended = (one for one in log.last_states if one.is_second or (one.is_forgotten and one.state.status.is_final))
    forgotten = {one.state.saga_id for one in ended}
    tracker = SilentTracker(log.definitions, PARTITIONS)
    for number in range(PARTITIONS):
        inputs = {
            topic: list(partitions[number].visible_from(0))
            for topic, partitions in cluster.topics.items()
            if number < len(partitions)
        }
        last = {(record.key or b"").decode(): record.value for record in inputs[SAGA_STATE]}
        found = {saga_id: value for saga_id, value in last.items() if value is not None}
        again = Replay(tracker, number, inputs, chance).states(_rulings(log, number))
        for saga_id in sorted((found.keys() | again.keys()) - forgotten - too_early):
            if found.get(saga_id) != again.get(saga_id):
                yield from _same(saga_id, _settled(found.get(saga_id)), _settled(again.get(saga_id)))


def _rulings(log: History, partition: int) -> Iterator[Ruling]:
    told = sorted((one for one in log.told if one.seen.partition == partition), key=lambda one: one.seen.offset)
    yield from (one.event for one in told if isinstance(one.event, Ruling))


def _same(saga_id: str, one: SagaState | None, other: SagaState | None) -> Complaints:
    if one != other:
        known = one or other
        text = f"{saga_id}, read again in another order, is not the same: {_diff(one, other)}"
        name = SagaName(known.definition if known else "", saga_id)
        yield Complaint(same_states_again.__name__, text, name.definition, name.id)


def _settled(value: bytes | None) -> SagaState | None:
    """What a saga hears of another of its key counts only if it runs, and the other one has started after it."""
    state = decode(value) if value is not None else None
    if state is None or state.rival is None:
        return state
    is_later = bool(state.events) and state.rival.offset > state.events[0].offset
    return state if is_later and not state.status.is_final else structs.replace(state, rival=None)


def _diff(one: SagaState | None, other: SagaState | None) -> str:
    if one is None or other is None:
        return f"{one and one.status} and {other and other.status}"
    names = [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    return "; ".join(f"{name} was {getattr(one, name)!r:.200} and is {getattr(other, name)!r:.200}" for name in names)


def _history(world: World, log: History) -> Iterator[str]:
    every = sorted((seen for topic in log.records for seen in log.of(topic)), key=lambda seen: seen.written_at)
    start = world.system.clock.now() - round(world.system.clock.monotonic() * 1000)
    for one in every:
        if one.topic != SAGA_STATE and not one.topic.endswith(".intake"):
            yield f"{(one.written_at - start) / 1000:9.3f}s {one!s:24} {_told(one)}".rstrip()


def _told(one: Seen) -> str:
    if not one.headers:
        return f"{(one.key or b'').decode()} {(one.value or b'gone')[:120].decode(errors='replace')}"
    told = one.headers
    return (
        f"{one.type:24} {one.saga:6} {one.step:5} attempt {told.get('ce_attempt', '-')} epoch {one.epoch} "
        f"{told.get('ce_code', '')} {told.get('ce_reason', '')} {f'STRAY {one.stray}' if one.stray else ''}"
        f"{f'off by {one.drift} ms' if one.drift else ''}"
    )
