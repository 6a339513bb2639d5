"""A plan run and judged: what was not as it must be, and the trace by which it can be understood."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from tests.simulation.history import History, history
from tests.simulation.invariants import complaints
from tests.simulation.plan import Plan
from tests.simulation.world import World


class Verdict(NamedTuple):
    """What came of a plan; no complaints: everything is as it must be."""

    plan: Plan
    complaints: tuple[str, ...]
    trace: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether no invariant is broken."""
        return not self.complaints


def judge(plan: Plan) -> Verdict:
    """Run a plan, and check every invariant."""
    world = World(plan)
    try:
        world.run()
        log = history(world.cluster, world.shape.saga)
        found = complaints(log, world.calls, tracked=not plan.is_untracked)
    except Exception as error:  # noqa: BLE001  # whatever a run ends with, it is the finding
        text = traceback.format_exc(limit=-4)
        return Verdict(plan, (f"{type(error).__name__}: {error}\n{text}",), tuple(world.notes))
    finally:
        world.system.close()
    return Verdict(plan, tuple(found), _trace(world, log) if found else ())


def _trace(world: World, log: History) -> tuple[str, ...]:
    """What happened, and then what lies on the log, in the order of log time."""
    seen = sorted((seen for topic in log.records for seen in log.of(topic)), key=lambda seen: seen.at)
    start = world.system.clock.now() - round(world.system.clock.monotonic() * 1000)
    lines = [
        f"{(one.at - start) / 1000:9.3f}s {one!s:34} {one.type or '(raw)':26} {one.saga:8} {one.step:6} "
        f"attempt {one.headers.get('ce_attempt', '-')} epoch {one.headers.get('ce_epoch', '-')} "
        f"{one.headers.get('ce_code', '')} {one.headers.get('ce_reason', '')}".rstrip()
        for one in seen
        if one.topic not in {"saga.state"} and not one.topic.endswith(".intake")
    ]
    return (*world.notes, "--- the log ---", *lines)
