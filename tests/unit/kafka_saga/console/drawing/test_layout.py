"""Layouts of any graph: nothing lies over anything, and edges join what they are said to join."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from kafka_saga.console.drawing.layers import depths, leading_back
from kafka_saga.console.drawing.layout import Box, Joined, Layout, Sized, laid_out
from kafka_saga.console.drawing.ordering import crossings, ordered

SIZES = st.builds(Sized, st.integers(40, 240), st.integers(20, 90))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Sized], list[Joined]]:
    nodes = draw(st.lists(SIZES, min_size=1, max_size=30))
    places = st.integers(0, len(nodes) - 1)
    label = st.sampled_from([None, "a", "b"])
    ends = draw(st.lists(st.tuples(places, places, label), max_size=45, unique=True))
    rooms = {key: draw(SIZES) for key in {(source, said) for source, _, said in ends}}
    return nodes, [
        Joined(source, target, said, Sized(0, 0) if said is None else rooms[source, said])
        for source, target, said in ends
    ]


def overlap(one: Box, other: Box) -> bool:
    gap = 1.0
    apart = one.x + one.width + gap <= other.x or other.x + other.width + gap <= one.x
    return not (apart or one.y + one.height + gap <= other.y or other.y + other.height + gap <= one.y)


def passes(layout: Layout) -> list[tuple[Box, Box]]:
    """Every straight stretch of an edge that lies within a box; a bend stays between its layers."""
    found = []
    for route in layout.routes:
        for (x, y), (to_x, to_y) in zip(route.points, route.points[1:], strict=False):
            stretch = Box(min(x, to_x), min(y, to_y), abs(x - to_x), abs(y - to_y))
            found += [(stretch, box) for box in layout.nodes if within(stretch, box)]
    return found


def within(stretch: Box, box: Box) -> bool:
    inner = 0.5
    return (
        stretch.x + stretch.width > box.x + inner
        and stretch.x < box.x + box.width - inner
        and stretch.y + stretch.height > box.y + inner
        and stretch.y < box.y + box.height - inner
    )


@settings(max_examples=120, deadline=None)
@given(graphs(), st.booleans())
def test_no_box_lies_over_another(graph: tuple[list[Sized], list[Joined]], downwards: bool) -> None:
    layout = laid_out(*graph, downwards=downwards)
    boxes = [*layout.nodes, *layout.labels.values()]
    assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []


@settings(max_examples=120, deadline=None)
@given(graphs(), st.booleans())
def test_everything_lies_within_the_drawing(graph: tuple[list[Sized], list[Joined]], downwards: bool) -> None:
    layout = laid_out(*graph, downwards=downwards)
    for box in (*layout.nodes, *layout.labels.values()):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height
    for x, y in (point for route in layout.routes for point in route.points):
        assert 0 <= x <= layout.width
        assert 0 <= y <= layout.height


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_an_edge_leaves_its_source_on_the_right_and_reaches_its_target_from_the_left(
    graph: tuple[list[Sized], list[Joined]],
) -> None:
    layout = laid_out(*graph)
    for edge, route in zip(graph[1], layout.routes, strict=True):
        source, target = layout.nodes[edge.source], layout.nodes[edge.target]
        assert route.points[0] == (source.x + source.width, source.middle[1])
        assert route.points[-1] == (target.x, target.middle[1])


@settings(max_examples=120, deadline=None)
@given(graphs(), st.booleans())
def test_no_edge_passes_through_a_node(graph: tuple[list[Sized], list[Joined]], downwards: bool) -> None:
    assert passes(laid_out(*graph, downwards=downwards)) == []


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_same_graph_is_laid_out_the_same_way(graph: tuple[list[Sized], list[Joined]]) -> None:
    assert laid_out(*graph) == laid_out(*graph)


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_without_the_edges_that_lead_back_every_edge_leads_on(graph: tuple[list[Sized], list[Joined]]) -> None:
    nodes, edges = graph
    pairs = [(edge.source, edge.target) for edge in edges]
    back = leading_back(len(nodes), pairs)
    forward = [pair for at, pair in enumerate(pairs) if at not in back]
    layer = depths(len(nodes), forward)
    assert all(layer[source] < layer[target] for source, target in forward)


def test_a_chain_is_a_straight_line() -> None:
    layout = laid_out([Sized(100, 40)] * 4, [Joined(at, at + 1, "next", Sized(60, 20)) for at in range(3)])
    assert len({box.middle[1] for box in (*layout.nodes, *layout.labels.values())}) == 1


def test_targets_of_one_event_share_its_label() -> None:
    layout = laid_out([Sized(100, 40)] * 3, [Joined(0, target, "done", Sized(60, 20)) for target in (1, 2)])
    assert list(layout.labels) == [0]


def test_a_step_that_leads_back_to_itself_has_a_loop_beside_the_drawing() -> None:
    layout = laid_out([Sized(100, 40)], [Joined(0, 0, "again", Sized(60, 20))])
    assert [route.is_loop for route in layout.routes] == [True]
    assert layout.labels[0].y > layout.nodes[0].y + layout.nodes[0].height


def test_nothing_is_laid_out_as_nothing() -> None:
    assert laid_out([], []).nodes == ()


def test_edges_that_cross_for_no_reason_are_set_right() -> None:
    before, after = {2: [1], 3: [0]}, {0: [3], 1: [2]}
    layers = [[0, 1], [2, 3]]
    assert crossings(layers, after) == 1
    assert crossings(ordered(layers, before, after), after) == 0
