"""A fixed set of seeds, in pieces that processes share: nothing is new that is not as it must be."""

from __future__ import annotations

import pytest

from tests.simulation.plan import plan_of
from tests.simulation.shrink import as_code, shrunk
from tests.simulation.verdict import judge

SEEDS = 1_500
PIECE = 50


@pytest.mark.parametrize("first", range(0, SEEDS, PIECE))
def test_no_seed_breaks_a_rule(first: int) -> None:
    for seed in range(first, first + PIECE):
        verdict = judge(plan_of(seed))
        if not verdict.is_clean:
            smallest = shrunk(verdict, most_runs=100)
            told = "\n".join((*map(str, smallest.complaints), *smallest.trace, "As a test:", as_code(smallest.plan)))
            pytest.fail(f"seed {seed}:\n{told}", pytrace=False)


def test_a_seed_always_leads_to_the_same_history() -> None:
    for seed in (3, 17):
        first, second = judge(plan_of(seed)), judge(plan_of(seed))
        assert first.history == second.history
        assert len(first.history) > 30
