"""Plans that once broke an invariant, as the simulation has printed them."""

from __future__ import annotations

import pytest

from schemas.events.commands import Act
from tests.simulation.plan import Begin, Command, Plan, Trouble
from tests.simulation.verdict import judge

REGRESSIONS = (
    # Both steps on one trigger reported under the same id: the tracker took the second report for the first again.
    Plan(
        seed=7,
        shape="frk",
        sagas=5,
        faults=(
            Begin(at=15, saga=4, turns_at=-1),
            Command(at=38, saga=4, act=Act.PAUSE, step=0),
        ),
    ),
    # `paused` was told while the command to undo a step was on its way.
    Plan(
        seed=603,
        shape="cho",
        sagas=5,
        faults=(
            Begin(at=80, saga=2, turns_at=-1),
            Command(at=115, saga=2, act=Act.REWIND, step=1),
            Command(at=137, saga=2, act=Act.PAUSE, step=1),
        ),
    ),
    # A parked compensation counted as one that runs: the saga was `pausing` for ever.
    Plan(
        seed=1877,
        shape="cho",
        sagas=5,
        faults=(
            Begin(at=59, saga=4, turns_at=1),
            Command(at=144, saga=4, act=Act.PAUSE, step=0),
        ),
    ),
    # A fork again: the failed report of one step hid that of the other.
    Plan(
        seed=1625,
        shape="frk",
        sagas=5,
        faults=(
            Begin(at=126, saga=4, turns_at=-1),
            Trouble(saga=4, step=1, first=1, last=1, milliseconds=0, error="retryable"),
            Trouble(saga=4, step=2, first=1, last=2, milliseconds=0, error="retryable"),
        ),
    ),
)


@pytest.mark.parametrize("plan", REGRESSIONS, ids=lambda plan: f"{plan.shape}-{plan.seed}")
def test_what_was_once_broken_holds(plan: Plan) -> None:
    verdict = judge(plan)
    assert verdict.is_clean, "\n".join((*verdict.complaints, *verdict.trace))
