"""A plan run and judged: what was not as it must be, and the trace by which it can be understood."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import NamedTuple

from tests.simulation.history import History, Seen, history
from tests.simulation.invariants import complaints
from tests.simulation.plan import Plan
from tests.simulation.world import World
from topology.topics import SAGA_STATE


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
        found = complaints(log, world.calls, tracked=not plan.is_untracked)
    except Exception as error:  # whatever a run ends with, it is the finding
        found = [f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"]
    finally:
        world.system.close()
    return Verdict(plan, tuple(found), world, log)


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
