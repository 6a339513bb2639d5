"""What the simulation has found on the code as it is, each expected to fail by its seed until it is mended."""

from __future__ import annotations

import pytest

from tests.simulation.findings import FINDINGS
from tests.simulation.plan import plan_of
from tests.simulation.verdict import judge


@pytest.mark.parametrize(
    "finding",
    [
        pytest.param(
            name,
            marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"{one.sentence} (seed {one.seed})"),
        )
        for name, one in FINDINGS.items()
    ],
)
def test_a_seed_shows_nothing_that_is_known_to_be_wrong(finding: str) -> None:
    assert finding not in judge(plan_of(FINDINGS[finding].seed)).known
