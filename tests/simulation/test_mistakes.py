"""That the simulation can fail: every planted mistake is caught, and by the complaint that names it."""

from __future__ import annotations

import pytest

from tests.simulation.planted import MISTAKES
from tests.simulation.planted.catching import SEEDS, seed_that_catches
from tests.simulation.planted.caught import CAUGHT


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_caught_by_the_complaint_that_names_it(mistake: str) -> None:
    rule, seed = CAUGHT[mistake]
    found = seed_that_catches(mistake, rule, first=[seed])
    assert found is not None, f"no complaint {rule} is made of {mistake} within {SEEDS} seeds"


def test_every_mistake_has_its_complaint() -> None:
    assert CAUGHT.keys() == MISTAKES.keys()
