"""The order of vertices within the layers of a graph: few crossings, by the barycentre heuristic.

Sugiyama, Tagawa, Toda: Methods for Visual Understanding of Hierarchical System Structures (1981). Deterministic.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from itertools import pairwise

Neighbours = Mapping[int, Sequence[int]]
Layers = list[list[int]]

_SWEEPS = 12


def ordered(layers: Layers, before: Neighbours, after: Neighbours) -> Layers:
    """The layers, each in an order with few crossings; of equally good orders the first that was found."""
    best, fewest = layers, crossings(layers, after)
    current = layers
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        current = _swept(current, before) if sweep % 2 == 0 else _swept(current[::-1], after)[::-1]
        count = crossings(current, after)
        if count < fewest:
            best, fewest = current, count
    return best


def crossings(layers: Layers, after: Neighbours) -> int:
    """How many pairs of edges cross between adjacent layers."""
    return sum(_between(upper, lower, after) for upper, lower in pairwise(layers))


def _between(upper: Sequence[int], lower: Sequence[int], after: Neighbours) -> int:
    place = {vertex: at for at, vertex in enumerate(lower)}
    passed: list[int] = []
    count = 0
    for vertex in upper:
        ends = [place[other] for other in after.get(vertex, ())]
        count += sum(len(passed) - bisect_right(passed, end) for end in ends)
        for end in ends:
            insort(passed, end)
    return count


def _swept(layers: Layers, neighbours: Neighbours) -> Layers:
    """Each layer ordered by the one before it."""
    found = [layers[0]] if layers else []
    for layer in layers[1:]:
        place = {vertex: at for at, vertex in enumerate(found[-1])}
        found.append(_by_barycentre(layer, place, neighbours))
    return found


def _by_barycentre(layer: Sequence[int], place: Mapping[int, int], neighbours: Neighbours) -> list[int]:
    weights: dict[int, float] = {}
    for at, vertex in enumerate(layer):
        ends = [place[other] for other in neighbours.get(vertex, ()) if other in place]
        weights[vertex] = sum(ends) / len(ends) if ends else float(at)
    return sorted(layer, key=weights.__getitem__)
