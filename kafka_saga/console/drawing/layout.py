"""A layered layout of a directed graph: nothing overlaps, edges lead on from layer to layer, loops lead back beside.

Layers by the longest way, few crossings by barycentres, places by least squares. Labels of edges are vertices of
layers of their own, hence they have room. Edges that close a cycle run in lanes of their own beside the drawing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kafka_saga.console.drawing.layers import Layered, Line, Size, depths, joined_to, taken_apart
from kafka_saga.console.drawing.ordering import ordered
from kafka_saga.console.drawing.spreading import spread

_APART = 16.0
_GAP = 20.0
_MARGIN = 12.0
_LOOP = 9.0
"""Pixels between loops that run side by side."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, by its left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Sized:
    """A node, or a label, to be laid out."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """An edge as the points it passes; between two of them it is straight, or bends where both coordinates change."""

    points: tuple[Point, ...]
    is_loop: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """An edge to be laid out, between nodes by their places; edges of one source and label share the label."""

    source: int
    target: int
    label: Hashable = None
    room: Sized = Sized(0, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: nodes and edges in the order they were given, labels by the first edge that has them."""

    nodes: tuple[Box, ...]
    routes: tuple[Route, ...]
    labels: Mapping[int, Box]
    width: float
    height: float


def laid_out(nodes: Sequence[Sized], edges: Sequence[Joined], *, downwards: bool = False) -> Layout:
    """The layout; from left to right, or downwards."""
    lines = [Line(one.source, one.target, one.label, _size(one.room, downwards)) for one in edges]
    layered, back = taken_apart([_size(node, downwards) for node in nodes], lines)
    placing = _Placing(layered, lines, tuple(sorted(back)))
    boxes = [placing.box(vertex) for vertex in range(len(nodes))]
    length, breadth = placing.extent
    layout = Layout(tuple(boxes), tuple(placing.routes()), placing.labels(), length, breadth)
    return _turned(layout) if downwards else layout


def _size(room: Sized, downwards: bool) -> Size:
    return Size(room.height, room.width) if downwards else Size(room.width, room.height)


@dataclass(frozen=True)
class _Placing:
    """Vertices of layers with their places; x is along the layers, y across."""

    layered: Layered
    lines: Sequence[Line]
    loops: tuple[int, ...]

    @cached_property
    def layers(self) -> list[list[int]]:
        count = max(self.layered.layer, default=-1) + 1
        found: list[list[int]] = [[] for _ in range(count)]
        for vertex, layer in enumerate(self.layered.layer):
            found[layer].append(vertex)
        pairs = self.layered.pairs
        return ordered(found, joined_to(pairs, backwards=True), joined_to(pairs, backwards=False))

    @cached_property
    def across(self) -> dict[int, float]:
        """The middle of each vertex across the layers, the least of all edges being the margin."""
        sizes = {vertex: size.across for vertex, size in enumerate(self.layered.sizes)}
        pairs = self.layered.pairs
        before, after = joined_to(pairs, backwards=True), joined_to(pairs, backwards=False)
        found = spread(self.layers, sizes, _APART, before, after, self._weight)
        least = min((at - sizes[vertex] / 2 for vertex, at in found.items()), default=0.0)
        return {vertex: at - least + _MARGIN for vertex, at in found.items()}

    def _weight(self, one: int, other: int) -> float:
        """The longest way on is to be straight, as are long edges."""
        later = max(one, other, key=lambda vertex: self.layered.layer[vertex])
        return (1.0 + self._ahead[later]) ** 2 + 3.0 * (self.layered.sizes[later].along == 0)

    @cached_property
    def _ahead(self) -> list[int]:
        """How far each vertex is from the end of the longest way on from it."""
        count = len(self.layered.sizes)
        return depths(count, [(target, source) for source, target in self.layered.pairs])

    @cached_property
    def starts(self) -> list[float]:
        """Where each layer begins along the sequence, and where the last one ends with its gap."""
        found = [_MARGIN + self._room_before(0)]
        for at, layer in enumerate(self.layers):
            thickness = max((self.layered.sizes[vertex].along for vertex in layer), default=0.0)
            found.append(found[-1] + thickness + _GAP + self._room_after(at) + self._room_before(at + 1))
        return found

    def _room_before(self, layer: int) -> float:
        return _LOOP * len(self._entering.get(layer, ()))

    def _room_after(self, layer: int) -> float:
        return _LOOP * len(self._leaving.get(layer, ()))

    @cached_property
    def _entering(self) -> dict[int, list[int]]:
        return self._by_layer([self.lines[at].target for at in self.loops])

    @cached_property
    def _leaving(self) -> dict[int, list[int]]:
        return self._by_layer([self.lines[at].source for at in self.loops])

    def _by_layer(self, nodes: Sequence[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for at, node in zip(self.loops, nodes, strict=True):
            found.setdefault(self.layered.layer[node], []).append(at)
        return found

    def _ends(self, layer: int) -> float:
        """Where a layer's vertices end."""
        return self.starts[layer + 1] - _GAP - self._room_after(layer) - self._room_before(layer + 1)

    @cached_property
    def _breadth(self) -> float:
        """How far the layers reach across."""
        ends = (at + self.layered.sizes[vertex].across / 2 for vertex, at in self.across.items())
        return max(ends, default=_MARGIN)

    @cached_property
    def lanes(self) -> dict[int, float]:
        """The middle of each loop's lane, beside the layers."""
        found, at = {}, self._breadth + _APART
        for loop in self.loops:
            room = max(self.lines[loop].size.across, _LOOP)
            found[loop] = at + room / 2
            at += room + _APART / 2
        return found

    @property
    def extent(self) -> Point:
        """How much room all of it takes."""
        across = [self._breadth, *(at + self.lines[one].size.across / 2 for one, at in self.lanes.items())]
        along = [self._ends(len(self.layers) - 1) + self._room_after(len(self.layers) - 1)] if self.layers else []
        boxes = self.labels().values()
        return max((*along, *(box.x + box.width for box in boxes)), default=0) + _MARGIN, max(across) + _MARGIN

    def box(self, vertex: int) -> Box:
        """A vertex where it is, in the middle of its layer."""
        layer, size = self.layered.layer[vertex], self.layered.sizes[vertex]
        middle = (self.starts[layer] + self._ends(layer)) / 2
        return Box(middle - size.along / 2, self.across[vertex] - size.across / 2, size.along, size.across)

    def labels(self) -> dict[int, Box]:
        """The labels' boxes, each by the first edge that has it."""
        found: dict[int, Box] = {}
        seen: set[tuple[int, Hashable]] = set()
        for at, line in enumerate(self.lines):
            key = (line.source, line.label)
            if line.label is None or (at in self.layered.chains and key in seen):
                continue
            if at in self.layered.chains:
                seen.add(key)
                found[at] = self.box(self.layered.labels[key])
            else:
                found[at] = self._lane_label(at)
        return found

    def _lane_label(self, loop: int) -> Box:
        size, across = self.lines[loop].size, self.lanes[loop]
        leaves, enters = self._turns(loop)
        start = max(_MARGIN, (leaves + enters - size.along) / 2)
        return Box(start, across - size.across / 2, size.along, size.across)

    def routes(self) -> Iterator[Route]:
        """Every edge in the order they were given."""
        for at in range(len(self.lines)):
            chain = self.layered.chains.get(at)
            yield Route(tuple(self._back(at)), True) if chain is None else Route(tuple(self._along(chain)), False)

    def _along(self, chain: Sequence[int]) -> Iterator[Point]:
        first, *between, last = chain
        source, target = self.box(first), self.box(last)
        yield source.x + source.width, source.middle[1]
        yield self._ends(self.layered.layer[first]), source.middle[1]
        for vertex in between:
            layer = self.layered.layer[vertex]
            yield self.starts[layer], self.across[vertex]
            yield self._ends(layer), self.across[vertex]
        yield self.starts[self.layered.layer[last]], target.middle[1]
        yield target.x, target.middle[1]

    def _turns(self, loop: int) -> Point:
        """Where a loop turns aside after its source, and before its target."""
        line = self.lines[loop]
        leaving, entering = self.layered.layer[line.source], self.layered.layer[line.target]
        leaves = self._ends(leaving) + _LOOP * (self._leaving[leaving].index(loop) + 1)
        enters = self.starts[entering] - _LOOP * (self._entering[entering].index(loop) + 1)
        return leaves, enters

    def _back(self, loop: int) -> Iterator[Point]:
        line, lane = self.lines[loop], self.lanes[loop]
        source, target = self.box(line.source), self.box(line.target)
        leaves, enters = self._turns(loop)
        yield source.x + source.width, source.middle[1]
        yield leaves, source.middle[1]
        yield leaves, lane
        yield enters, lane
        yield enters, target.middle[1]
        yield target.x, target.middle[1]


def _turned(layout: Layout) -> Layout:
    return Layout(
        tuple(map(_turned_box, layout.nodes)),
        tuple(Route(tuple((y, x) for x, y in route.points), route.is_loop) for route in layout.routes),
        {at: _turned_box(box) for at, box in layout.labels.items()},
        layout.height,
        layout.width,
    )


def _turned_box(box: Box) -> Box:
    return Box(box.y, box.x, box.height, box.width)
