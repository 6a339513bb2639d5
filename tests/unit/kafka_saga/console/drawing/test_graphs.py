"""Graphs as SVG: states in words, edges that were taken, and hostile names as text."""

from __future__ import annotations

import pytest

from kafka_saga.api.sagas import Graph
from kafka_saga.console.drawing import graph, topology
from tests.unit.kafka_saga.console.drawing.given import HOSTILE_GRAPH, REVIEWING, TANGLED, TOPOLOGY, UNDONE, plain
from tests.unit.kafka_saga.console.drawing.reading import page


@pytest.mark.parametrize("drawn", [REVIEWING, UNDONE, TANGLED, HOSTILE_GRAPH, Graph(nodes=(), edges=())])
def test_every_graph_is_harmless_and_the_same_each_time(drawn: Graph) -> None:
    page(graph(drawn))
    assert graph(drawn) == graph(drawn)


def test_each_step_says_how_it_stands_in_words() -> None:
    found = page(graph(REVIEWING))
    for words in ("done · 1.2 s", "running: 12 of 40,", "will run", "not taken"):
        assert words in found.texts


def test_the_colour_of_a_state_is_a_class() -> None:
    found = page(graph(UNDONE)).values("class")
    assert "draw-node kind-step tone-undo state-compensated" in found
    assert "draw-node kind-step tone-bad state-failed" in found


def test_what_was_taken_is_told_from_what_was_not() -> None:
    found = page(graph(REVIEWING)).values("class")
    assert found.count("draw-edge is-taken") == 4
    assert found.count("draw-edge is-not-taken") == 8


def test_a_definition_alone_has_no_edges_taken_or_not_taken() -> None:
    assert {one for one in page(graph(plain(REVIEWING))).values("class") if "taken" in one} == set()


def test_an_event_that_a_node_is_named_after_is_not_said_again_at_its_edge() -> None:
    across = str(graph(REVIEWING)).split("draw-down")[0]
    assert across.count(">pr.received</text>") == 1
    assert across.count(">pr.validated</text>") == 1


def test_a_long_name_is_cut_and_its_title_is_whole() -> None:
    found = page(graph(HOSTILE_GRAPH))
    assert any(text.startswith("WWW") and text.endswith("…") for text in found.texts)
    assert any(text.startswith("W" * 300) for text in found.texts)


def test_the_graph_is_a_picture_with_a_title_and_a_list_in_words() -> None:
    found = page(graph(REVIEWING))
    assert found.values("role").count("img") == 2
    assert {*found.values("aria-labelledby"), *found.values("aria-describedby")} <= set(found.values("id"))
    assert "pr.validated leads to ast" in found.texts


def test_an_edge_of_the_topology_says_throughput_failures_and_lag() -> None:
    found = page(topology(TOPOLOGY))
    for words in ("1,180 done / min", "24 failed, 24 retried", "lag 310 events, 42.5 s", "no lag", "lag not known"):
        assert words in found.texts


def test_a_step_that_is_paused_says_so_in_words_and_colour() -> None:
    found = page(topology(TOPOLOGY, {"llm"}))
    assert found.values("class").count("draw-node kind-step tone-held state-paused") == 2
    assert "llm: paused" in found.texts
    assert not any("taken" in one for one in found.values("class"))


def test_an_edge_with_failures_is_marked() -> None:
    assert page(topology(TOPOLOGY)).values("class").count("draw-label is-bad") == 2
