"""Looking for a seed in which a planted mistake breaks the rule that it is to break."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.plan import plan_of
from tests.simulation.planted import MISTAKES
from tests.simulation.planted.caught import CAUGHT, Caught
from tests.simulation.verdict import judge

SEEDS = 2_000
"""Within so many seeds a mistake is to be caught."""


def seed_that_catches(mistake: str, rule: str, first: Iterable[int] = ()) -> int | None:
    """The first seed in which this mistake breaks this rule; `first` are tried first. `None` if none does."""
    seeds: Iterable[int] = (*first, *range(SEEDS))
    return next((seed for seed in seeds if breaks(mistake, seed, rule)), None)


def breaks(mistake: str, seed: int, rule: str) -> bool:
    """Whether a new complaint of this rule is made in a seed while the mistake is planted."""
    with MISTAKES[mistake]():
        return any(complaint.rule == rule for complaint in judge(plan_of(seed)).complaints)


def caught_anew(mistake: str) -> Caught | None:
    """By the same rule as it is recorded, and the first seed that shows it now; `None` if none does."""
    rule = CAUGHT[mistake].rule
    seed = seed_that_catches(mistake, rule)
    return None if seed is None else Caught(rule, seed)
