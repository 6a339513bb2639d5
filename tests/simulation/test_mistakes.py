"""That the simulation can fail: every planted mistake is caught within two thousand seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mistakes import MISTAKES
from tests.simulation.plan import plan_of
from tests.simulation.verdict import judge

SEEDS = 2_000


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_caught(mistake: str) -> None:
    with MISTAKES[mistake]():
        caught = next((seed for seed in range(SEEDS) if not judge(plan_of(seed)).is_clean), None)
    assert caught is not None, f"{mistake} is not caught within {SEEDS} seeds"
