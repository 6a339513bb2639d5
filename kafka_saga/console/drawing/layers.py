"""A graph taken apart for drawing: which edges lead back, in which layer each node is, and what lies between."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Size:
    """The room that something takes, along the layers' sequence and across it."""

    along: float
    across: float


NOTHING = Size(0, 0)
_DUMMY = Size(0, 14)
"""The room of an edge that passes a layer."""


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between nodes by their places; edges of one source and the same `label` share it."""

    source: int
    target: int
    label: Hashable = None
    size: Size = NOTHING


@dataclass(slots=True)
class Layered:
    """Vertices in layers: the nodes first, then labels and the points where long edges pass a layer.

    Nodes have even layers. `chains` gives each edge that leads forward as its vertices; `labels` their labels' ones.
    """

    sizes: list[Size]
    layer: list[int]
    chains: dict[int, list[int]] = field(default_factory=dict)
    labels: dict[tuple[int, Hashable], int] = field(default_factory=dict)

    def add(self, layer: int, size: Size) -> int:
        """A new vertex."""
        self.sizes.append(size)
        self.layer.append(layer)
        return len(self.sizes) - 1

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every two vertices of adjacent layers that are joined, once."""
        found = (pair for chain in self.chains.values() for pair in pairwise(chain))
        return tuple(dict.fromkeys(found))


def taken_apart(sizes: Sequence[Size], lines: Sequence[Line]) -> tuple[Layered, frozenset[int]]:
    """The graph in layers, and which of its edges lead back, and are in no chain."""
    back = leading_back(len(sizes), [(line.source, line.target) for line in lines])
    forward = [line for at, line in enumerate(lines) if at not in back]
    depth = depths(len(sizes), [(line.source, line.target) for line in forward])
    found = Layered(list(sizes), [2 * one for one in depth])
    for at, line in enumerate(lines):
        if at not in back:
            found.chains[at] = list(_chain(found, line))
    return found, back


def _chain(found: Layered, line: Line) -> Iterator[int]:
    first, last = found.layer[line.source], found.layer[line.target]
    yield line.source
    for layer in range(first + 1, last):
        if layer > first + 1 or line.label is None:
            yield found.add(layer, _DUMMY)
        else:
            key = (line.source, line.label)
            if key not in found.labels:
                found.labels[key] = found.add(layer, line.size)
            yield found.labels[key]
    yield line.target


def leading_back(count: int, pairs: Sequence[Pair]) -> frozenset[int]:
    """The edges that close a cycle, met from the first node on."""
    leaving: dict[int, list[tuple[int, int]]] = {}
    for at, (source, target) in enumerate(pairs):
        leaving.setdefault(source, []).append((at, target))
    entered = {target for source, target in pairs if source != target}
    state = [0] * count
    back: set[int] = set()
    for root in sorted(range(count), key=lambda node: node in entered):
        if state[root] == 0:
            _walk(root, leaving, state, back)
    return frozenset(back)


def _walk(root: int, leaving: dict[int, list[tuple[int, int]]], state: list[int], back: set[int]) -> None:
    """Depth first: 1 is a node on the way here, 2 one that is done with."""
    way = [(root, iter(leaving.get(root, ())))]
    state[root] = 1
    while way:
        node, rest = way[-1]
        step = next(rest, None)
        if step is None:
            state[node] = 2
            way.pop()
        elif state[step[1]] == 1:
            back.add(step[0])
        elif state[step[1]] == 0:
            state[step[1]] = 1
            way.append((step[1], iter(leaving.get(step[1], ()))))


def depths(count: int, pairs: Sequence[Pair]) -> list[int]:
    """For each node of a graph without cycles the length of the longest way to it."""
    found = [0] * count
    for _ in range(count):
        changed = False
        for source, target in pairs:
            if found[target] <= found[source]:
                found[target], changed = found[source] + 1, True
        if not changed:
            break
    return found


def joined_to(pairs: Set[Pair] | Sequence[Pair], *, backwards: bool) -> dict[int, list[int]]:
    """The neighbours of each vertex in the layer after it, or before it."""
    found: dict[int, list[int]] = {}
    for source, target in pairs:
        one, other = (target, source) if backwards else (source, target)
        found.setdefault(one, []).append(other)
    return found
