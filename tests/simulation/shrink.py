"""Making a failing plan smaller: fewer faults, then fewer sagas, as long as the same invariant is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.faults import OfSaga
from tests.simulation.plan import Plan
from tests.simulation.verdict import Verdict, judge

MOST_RUNS = 400


def shrunk(verdict: Verdict, most_runs: int = MOST_RUNS, rule: str = "") -> Verdict:
    """The verdict on the smallest plan found that breaks what this one breaks: `rule`, else the first thing."""
    kind, left = rule or _kind(verdict), most_runs
    found = True
    while found and left > 0:
        found = False
        for smaller in _smaller(verdict.plan):
            left -= 1
            tried = judge(smaller)
            if any(complaint.rule == kind for complaint in tried.complaints):
                verdict, found = tried, True
                break
            if left <= 0:
                break
    return verdict


def as_code(plan: Plan) -> str:
    """The plan as Python, to be added to `REGRESSIONS` in `test_regressions.py`."""
    faults = "".join(f"            {_code(fault)},\n" for fault in plan.faults)
    return (
        f"    Plan(\n        seed={plan.seed},\n        shape={plan.shape!r},\n        sagas={plan.sagas},\n"
        f"        faults=(\n{faults}        ),\n        trackers={plan.trackers},\n        turns={plan.turns},\n    ),"
    )


def _code(fault: object) -> str:
    """A fault as it is written; `<Act.PAUSE: 'pause'>` is only how an enum is shown."""
    text = repr(fault)
    while "<Act." in text:
        before, _, rest = text.partition("<Act.")
        name, _, after = rest.partition(":")
        text = f"{before}Act.{name}{after.partition('>')[2]}"
    return text


def _kind(verdict: Verdict) -> str:
    return verdict.complaints[0].rule


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Half of the faults gone, then a quarter, then one; then a saga with everything about it."""
    faults, size = plan.faults, len(plan.faults) // 2
    while size >= 1:
        for first in range(0, len(faults), size):
            yield replace(plan, faults=faults[:first] + faults[first + size :])
        size //= 2
    for definition in (0, 1):
        for saga in range(plan.sagas):
            kept = tuple(fault for fault in faults if not _is_about(fault, saga, definition))
            if len(kept) < len(faults):
                yield replace(plan, faults=kept)


def _is_about(fault: object, saga: int, definition: int) -> bool:
    return isinstance(fault, OfSaga) and (fault.saga, fault.definition) == (saga, definition)
