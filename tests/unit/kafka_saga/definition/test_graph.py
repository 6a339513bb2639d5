"""The flow of a definition, as a graph."""

from __future__ import annotations

from kafka_saga.definition.graph import event_name, flow
from tests.unit.kafka_saga.definition.small import BRANCHING, LOOPING, Begun


def names(saga_flow_places: frozenset[int]) -> set[str]:
    return {LOOPING.steps[at].name for at in saga_flow_places}


def test_what_can_follow_a_step() -> None:
    graph = flow(LOOPING)
    assert names(graph.downstream[1]) == {"review", "rework", "post", "archive", "print"}
    assert names(graph.downstream[4]) == {"print"}


def test_ways_can_avoid_steps() -> None:
    assert names(flow(LOOPING).closure([2], without={1})) == {"rework"}


def test_the_steps_of_a_cycle_are_found_together() -> None:
    assert [[node.step.name for node in cycle] for cycle in flow(LOOPING).cycles] == [["review", "rework"]]
    assert flow(BRANCHING).cycles == ()


def test_every_step_of_a_sound_definition_is_reachable_and_can_end() -> None:
    graph = flow(BRANCHING)
    assert graph.reachable == graph.can_end == frozenset(range(5))


def test_an_event_without_type_goes_by_its_class() -> None:
    assert event_name(Begun) == "begun"
    assert event_name(type("Nameless", (Begun.__mro__[1],), {})) == "<Nameless>"
