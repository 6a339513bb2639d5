"""Where vertices lie within their layers: near their neighbours, in their order, and never over one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from kafka_saga.console.drawing.ordering import Layers, Neighbours

_SWEEPS = 40

Weight = Callable[[int, int], float]
"""How much an edge between two vertices wants to be straight."""


def spread(
    layers: Layers, sizes: Mapping[int, float], apart: float, before: Neighbours, after: Neighbours, weight: Weight
) -> dict[int, float]:
    """The middle of each vertex; those of a layer are at least `apart` from one another."""
    places = {vertex: at for layer in layers for vertex, at in _placed(layer, sizes, apart, [0.0] * len(layer)).items()}
    both = {vertex: (*before.get(vertex, ()), *after.get(vertex, ())) for vertex in places}
    for sweep in range(_SWEEPS):
        neighbours = (before, after)[sweep % 2] if sweep < _SWEEPS - 2 else both
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wanted = [_wanted(vertex, neighbours.get(vertex, ()), places, weight) for vertex in layer]
            places.update(_placed(layer, sizes, apart, wanted))
    return places


def _wanted(vertex: int, others: Sequence[int], places: Mapping[int, float], weight: Weight) -> float:
    total = sum(weight(vertex, other) for other in others)
    return sum(places[other] * weight(vertex, other) for other in others) / total if total else places[vertex]


def _placed(
    layer: Sequence[int], sizes: Mapping[int, float], apart: float, wanted: Sequence[float]
) -> dict[int, float]:
    """As near to what is wanted as the order and the sizes allow, by least squares.

    With the least distances taken off, that is an isotonic regression: neighbours that would overlap are pooled.
    """
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (sizes[one] + sizes[other]) / 2 + apart)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        value, count = want - offset, 1
        while pools and pools[-1][0] >= value:
            pooled, many = pools.pop()
            value, count = (value * count + pooled * many) / (count + many), count + many
        pools.append((value, count))
    values = [value for value, count in pools for _ in range(count)]
    return {vertex: value + offset for vertex, value, offset in zip(layer, values, offsets, strict=False)}
