"""Plans that once broke an invariant, as the simulation has printed them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kafka_saga.events.commands import Act
from tests.simulation.plan import Away, Begin, Command, Crash, Doubt, Leave, Plan, Stall, Trouble
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
    # A command and the cancelling of its saga came of one ruling, and the command passed the gate: it ran.
    Plan(
        seed=57744,
        shape="sup",
        sagas=5,
        faults=(
            Begin(at=53, saga=0, turns_at=0),
            Begin(at=111, saga=1, turns_at=-1),
            Begin(at=64, saga=2, turns_at=2),
            Begin(at=88, saga=3, turns_at=0),
            Begin(at=63, saga=4, turns_at=-1),
            Leave(at=110, process=0, down=14),
            Leave(at=51, process=3, down=14),
            Stall(at=234, process=3, point="before_offsets", turns=42),
            Stall(at=128, process=7, point="", turns=76),
            Leave(at=281, process=5, down=31),
            Trouble(saga=0, step=1, first=1, last=6, milliseconds=2000, error="unexpected"),
            Trouble(saga=2, step=1, first=1, last=1, milliseconds=15000, error="terminal"),
        ),
    ),
    # The same, in a fork; and a branch that is undone by a rewind before the other one is done.
    Plan(
        seed=53846,
        shape="frk",
        sagas=5,
        faults=(
            Begin(at=5, saga=3, turns_at=-1),
            Begin(at=49, saga=4, turns_at=-1),
            Crash(at=18, process=2, point="inside", down=7),
            Trouble(saga=3, step=2, first=1, last=1, milliseconds=0, error="retryable"),
            Command(at=59, saga=3, act=Act.REWIND, step=1),
        ),
    ),
    # A rewind has undone one branch, then a cancel undoes the other.
    Plan(
        seed=57171,
        shape="frk",
        sagas=5,
        faults=(
            Begin(at=72, saga=1, turns_at=-1),
            Stall(at=10, process=8, point="before_offsets", turns=59),
            Command(at=288, saga=1, act=Act.CANCEL, step=0),
            Command(at=254, saga=1, act=Act.REWIND, step=2),
        ),
    ),
    # The harness stopped a tracker that stood still in the middle of a transaction: the run never came to rest.
    Plan(
        seed=4767,
        shape="cho",
        sagas=5,
        faults=(
            Begin(at=35, saga=0, turns_at=2),
            Begin(at=45, saga=0, turns_at=2),
            Begin(at=8, saga=1, turns_at=-1),
            Begin(at=82, saga=2, turns_at=-1),
            Begin(at=147, saga=3, turns_at=-1),
            Begin(at=123, saga=4, turns_at=-1),
            Away(at=208, turns=39),
            Leave(at=290, process=7, down=52),
            Stall(at=262, process=7, point="inside", turns=74),
            Doubt(at=232, process=3, point="before_offsets"),
            Trouble(saga=4, step=0, first=1, last=1, milliseconds=0, error="retryable"),
            Trouble(saga=1, step=2, first=1, last=6, milliseconds=2000, error="", compensating=True),
            Trouble(saga=3, step=2, first=1, last=1, milliseconds=0, error="retryable"),
            Command(at=188, saga=1, act=Act.REDRIVE, step=1),
            Command(at=64, saga=3, act=Act.REWIND, step=1),
            Command(at=100, saga=3, act=Act.PAUSE, step=0),
            Command(at=177, saga=3, act=Act.RESUME, step=0),
        ),
    ),
)


@pytest.mark.parametrize("plan", REGRESSIONS, ids=lambda plan: f"{plan.shape}-{plan.seed}")
def test_what_was_once_broken_holds(plan: Plan) -> None:
    verdict = judge(replace(plan, turns=300))  # as many as there were when these were found
    assert verdict.is_clean, "\n".join((*map(str, verdict.complaints), *verdict.trace))
