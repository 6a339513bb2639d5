"""Making a failing plan smaller: fewer faults, then fewer sagas, as long as the same invariant is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.plan import Begin, Command, Plan, Trouble
from tests.simulation.verdict import Verdict, judge

MOST_RUNS = 400


def shrunk(verdict: Verdict, most_runs: int = MOST_RUNS) -> Verdict:
    """The verdict on the smallest plan found that breaks what this one breaks."""
    kind, left = _kind(verdict), most_runs
    found = True
    while found and left > 0:
        found = False
        for smaller in _smaller(verdict.plan):
            left -= 1
            tried = judge(smaller)
            if not tried.is_clean and _kind(tried) == kind:
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
        f"        faults=(\n{faults}        ),\n        trackers={plan.trackers},\n    ),"
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
    return verdict.complaints[0].partition(":")[0]


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Half of the faults gone, then a quarter, then one; then a saga with everything about it."""
    faults, size = plan.faults, len(plan.faults) // 2
    while size >= 1:
        for first in range(0, len(faults), size):
            yield replace(plan, faults=faults[:first] + faults[first + size :])
        size //= 2
    for saga in range(plan.sagas):
        kept = tuple(fault for fault in faults if not _is_about(fault, saga))
        if len(kept) < len(faults):
            yield replace(plan, faults=kept)


def _is_about(fault: object, saga: int) -> bool:
    return isinstance(fault, Begin | Command | Trouble) and fault.saga == saga
