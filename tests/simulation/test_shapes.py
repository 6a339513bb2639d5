"""That every drawn definition can run, alone and beside another one, and is the same whenever it is drawn."""

from __future__ import annotations

import pytest

from kafka_saga.definition.lint import check, check_all
from tests.simulation.definitions.drawn import KINDS, drawing
from tests.simulation.shapes import shape

EACH = 300


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawn_definition_can_run(kind: str) -> None:
    for number in range(EACH):
        found = shape(f"{kind}-{number}")
        check(found.saga)
        check(found.newer.saga)
        check_all((found.newer.saga, shape(f"{kind}-{number + 1}", "side").saga))


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_always_stands_for_the_same(kind: str) -> None:
    for number in range(20):
        assert drawing(f"{kind}-{number}").saga == drawing(f"{kind}-{number}").saga


def test_a_service_has_no_two_steps_on_one_event() -> None:
    drawn = [drawing(f"{kind}-{number}") for kind in KINDS for number in range(EACH)]
    for one in drawn:
        for group in one.groups:
            triggers = [one.saga.steps_by_name[name].on for name in group]
            assert len(set(triggers)) == len(triggers)
    assert any(len(group) > 1 for one in drawn for group in one.groups)
