"""A plan run and judged: what was not as it must be, and the trace by which it can be understood."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from msgspec import structs

from services.chassis.memory import MemoryCluster
from services.tracker.core.state import SagaState, decode
from tests.simulation.history import History, Seen, history
from tests.simulation.invariants import complaints
from tests.simulation.plan import Plan
from tests.simulation.replay import Replay
from tests.simulation.world import PARTITIONS, World
from topology.model import Saga
from topology.topics import SAGA_LIFECYCLE, SAGA_STATE


class Verdict(NamedTuple):
    """What came of a plan; no complaints: everything is as it must be."""

    plan: Plan
    complaints: tuple[str, ...]
    world: World | None = None
    log: History | None = None

    @property
    def history(self) -> tuple[str, ...]:
        """What lies on the log, in the order of log time."""
        return tuple(_history(self.world, self.log)) if self.world and self.log else ()

    @property
    def trace(self) -> tuple[str, ...]:
        """What happened, and then what lies on the log."""
        return (*(self.world.notes if self.world else ()), "--- the log ---", *self.history)

    @property
    def is_clean(self) -> bool:
        """Whether no invariant is broken."""
        return not self.complaints


def judge(plan: Plan) -> Verdict:
    """Run a plan, and check every invariant."""
    world, log = World(plan), None
    try:
        world.run()
        log = history(world.cluster, world.shape.saga)
        found = complaints(log, world.calls, world.sights, tracked=not plan.is_untracked)
        if not plan.is_untracked:
            found += same_states_again(world.cluster, world.shape.saga, Random(plan.seed))
    except Exception as error:  # whatever a run ends with, it is the finding
        found = [f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"]
    finally:
        world.system.close()
    return Verdict(plan, tuple(found), world, log)


def same_states_again(cluster: MemoryCluster, saga: Saga, chance: Random) -> Iterator[str]:
    """7. The same facts in another order, with the rulings where they were made, give the same states."""
    for number in range(PARTITIONS):
        inputs = {
            topic: list(partitions[number].visible_from(0))
            for topic, partitions in cluster.topics.items()
            if number < len(partitions)
        }
        last = {(record.key or b"").decode(): record.value for record in inputs[SAGA_STATE]}
        found = {saga_id: decode(value) for saga_id, value in last.items() if value is not None}
        again = Replay([saga], PARTITIONS, number, inputs, chance).states(inputs[SAGA_LIFECYCLE])
        for saga_id in sorted(found.keys() | again.keys()):
            one, other = _settled(found.get(saga_id)), _settled(again.get(saga_id))
            if one != other:
                yield f"same_states_again: {saga_id}, read again in another order, is not the same: {_diff(one, other)}"


def _settled(state: SagaState | None) -> SagaState | None:
    """What a saga hears of another of its key counts only if it runs, and the other one has started after it."""
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
    seen = sorted((seen for topic in log.records for seen in log.of(topic)), key=lambda seen: seen.at)
    start = world.system.clock.now() - round(world.system.clock.monotonic() * 1000)
    for one in seen:
        if one.topic != SAGA_STATE and not one.topic.endswith(".intake"):
            yield f"{(one.at - start) / 1000:9.3f}s {one!s:24} {_told(one)}".rstrip()


def _told(one: Seen) -> str:
    if not one.headers:
        return f"{(one.key or b'').decode()} {(one.value or b'gone').decode(errors='replace')[:120]}"
    told = one.headers
    return (
        f"{one.type:24} {one.saga:6} {one.step:5} attempt {told.get('ce_attempt', '-')} epoch {one.epoch} "
        f"{told.get('ce_code', '')} {told.get('ce_reason', '')}"
    )
