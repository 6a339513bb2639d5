"""A graph as SVG: the state of each step in colour, sign and words, events on the edges, and all of it as a list."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kafka_saga.api.sagas import Graph, NodeKind
from kafka_saga.api.topology import DefinitionTopology
from kafka_saga.console.drawing.layout import Box, Joined, Layout, Point, Route, laid_out
from kafka_saga.console.drawing.marks import SIZE, mark
from kafka_saga.console.drawing.markup import classes, element, figure, joined
from kafka_saga.console.drawing.pictures import PAD, ROUND, Arrow, Figure, Picture, flow, picture, told

_ARROW = 7.0
_WIDE, _VERY_WIDE = 900.0, 1700.0


def graph(drawn: Graph, title: str = "The saga's steps and events") -> Markup:
    """A definition, or a saga in its definition, from left to right; on a narrow screen downwards."""
    return _drawing(picture(drawn), title)


def topology(definition: DefinitionTopology, paused: Collection[str] = ()) -> Markup:
    """A definition with what goes on: at each edge to a step its throughput, its failures, and the consumer lag.

    `paused` are the names of the steps that are.
    """
    title = f"{definition.name} version {definition.version}: steps and events, with what went on in the last minute"
    return _drawing(flow(definition, paused), title)


def _drawing(found: Picture, title: str) -> Markup:
    across, down = (_Drawing(found, title, downwards=downwards).svg() for downwards in (False, True))
    scrolled = {"tabindex": "0", "role": "group", "aria-label": title}
    return element(
        "div",
        {"class": classes("draw-graph", "is-of-saga" if found.is_of_saga else None)},
        element("div", {"class": "draw-scroll draw-across", **scrolled}, across),
        element("div", {"class": "draw-scroll draw-down", **scrolled}, down),
        element("details", {"class": "draw-told"}, element("summary", {}, "The graph as a list"), _list(found)),
    )


def _list(found: Picture) -> Markup:
    return element("ul", {}, *(_told(name, words, leads) for name, words, leads in told(found)))


def _told(name: str, words: str, leads: Sequence[str]) -> Markup:
    said = [element("strong", {}, name), f": {words}" if words else ""]
    said += [element("ul", {}, *(element("li", {}, one) for one in leads))] if leads else []
    return element("li", {}, *said)


@dataclass(frozen=True)
class _Drawing:
    """One of the two drawings of a picture."""

    picture: Picture
    title: str
    downwards: bool

    def svg(self) -> Markup:
        layout = self._layout()
        ids = self._ids()
        box = {
            "class": classes("draw-svg", _breadth(layout.width)),
            "role": "img",
            "aria-labelledby": f"{ids}-title",
            "aria-describedby": f"{ids}-desc",
            "viewBox": f"0 0 {figure(layout.width)} {figure(layout.height)}",
            "width": layout.width,
            "height": layout.height,
        }
        said = "; ".join(one.title for one in self.picture.figures)
        return element(
            "svg",
            box,
            element("title", {"id": f"{ids}-title"}, self.title),
            element("desc", {"id": f"{ids}-desc"}, said),
            *self._edges(layout),
            *self._labels(layout),
            *(_node(one, box) for one, box in zip(self.picture.figures, layout.nodes, strict=True)),
        )

    def _ids(self) -> str:
        said = "\0".join((self.title, str(self.downwards), *(one.node.id for one in self.picture.figures)))
        return f"draw{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"

    def _layout(self) -> Layout:
        rooms = [one.room for one in self.picture.figures]
        edges = [Joined(one.source, one.target, one.label, one.room) for one in self.picture.arrows]
        return laid_out(rooms, edges, downwards=self.downwards)

    def _edges(self, layout: Layout) -> Iterator[Markup]:
        """Those that were taken last, over the others."""
        both = sorted(zip(self.picture.arrows, layout.routes, strict=True), key=lambda pair: pair[0].edge.taken)
        for arrow, route in both:
            names = classes("draw-edge", self._taken(arrow), "is-loop" if route.is_loop else None)
            yield element(
                "g",
                {"class": names},
                element("path", {"class": "draw-line", "d": path(route, downwards=self.downwards)}),
                element("path", {"class": "draw-tip", "d": _tip(route.points[-1], downwards=self.downwards)}),
            )

    def _taken(self, arrow: Arrow) -> str | None:
        if not self.picture.is_of_saga:
            return None
        return "is-taken" if arrow.edge.taken else "is-not-taken"

    def _labels(self, layout: Layout) -> Iterator[Markup]:
        for at, box in layout.labels.items():
            arrow = self.picture.arrows[at]
            sharing = (
                one for one in self.picture.arrows if one.source == arrow.source and one.edge.label == arrow.edge.label
            )
            taken = next((one for one in sharing if one.edge.taken), arrow)
            yield _label(arrow, box, classes("draw-label", self._taken(taken), "is-bad" if arrow.is_bad else None))


def path(route: Route, *, downwards: bool) -> str:
    """The way of an edge: bends where it changes its line, straight otherwise; it ends where its tip begins."""
    *points, (x, y) = route.points
    points.append((x, y - _ARROW) if downwards else (x - _ARROW, y))
    (first_x, first_y), *rest = points
    parts, at = [f"M{figure(first_x)} {figure(first_y)}"], (first_x, first_y)
    for point in rest:
        parts.append(_to(at, point, downwards=downwards))
        at = point
    return "".join(parts)


def _to(start: Point, end: Point, *, downwards: bool) -> str:
    (x, y), (to_x, to_y) = start, end
    if abs(x - to_x) < 0.05 or abs(y - to_y) < 0.05:
        return f"L{figure(to_x)} {figure(to_y)}"
    middle = (y + to_y) / 2 if downwards else (x + to_x) / 2
    turns = ((x, middle), (to_x, middle)) if downwards else ((middle, y), (middle, to_y))
    return "C" + " ".join(f"{figure(one)} {figure(other)}" for one, other in (*turns, end))


def _tip(end: Point, *, downwards: bool) -> str:
    x, y = figure(end[0]), figure(end[1])
    half = figure(_ARROW * 0.6)
    if downwards:
        return f"M{x} {y}l-{half} -{figure(_ARROW)}h{figure(_ARROW * 1.2)}z"
    return f"M{x} {y}l-{figure(_ARROW)} -{half}v{figure(_ARROW * 1.2)}z"


def _breadth(width: float) -> str:
    """How far a drawing may be made smaller: the wider, the less, since its text has to stay legible."""
    if width > _VERY_WIDE:
        return "is-very-wide"
    return "is-wide" if width > _WIDE else ""


def _node(one: Figure, box: Box) -> Markup:
    left = box.x + PAD + (0 if one.node.kind is NodeKind.STEP else ROUND)
    line = box.y + 24
    place = {"x": left} if one.lines else {"x": box.middle[0], "text-anchor": "middle"}
    return element(
        "g",
        {"class": classes("draw-node", f"kind-{one.node.kind}", f"tone-{one.tone}", _state(one))},
        element("title", {}, one.title),
        element("rect", {"class": "draw-box", **_rect(box, _corner(one, box))}),
        element("text", {"class": "draw-name", "y": line, **place}, one.name),
        *_words(one, left, line + 18),
    )


def _state(one: Figure) -> str | None:
    known = one.node.state.replace("_", "-")
    return f"state-{known}" if known.replace("-", "").isalpha() and known.isascii() else None


def _corner(one: Figure, box: Box) -> float:
    return 8 if one.node.kind is NodeKind.STEP else min(box.height / 2, 24)


def _rect(box: Box, corner: float) -> dict[str, object]:
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": corner}


def _words(one: Figure, left: float, first: float) -> Iterator[Markup]:
    sign = mark(one.node.state, left, first - 11)
    yield sign
    for at, line in enumerate(one.lines):
        place: dict[str, object] = {"x": left + (SIZE + 6 if sign else 0), "y": first + 16 * at}
        yield element("text", {"class": "draw-words", **place}, line)


def _label(arrow: Arrow, box: Box, names: str) -> Markup:
    middle = box.x + box.width / 2
    texts = (
        element("text", {"x": middle, "y": box.y + 15 + 16 * at, "text-anchor": "middle"}, line)
        for at, line in enumerate(arrow.lines)
    )
    title = element("title", {}, arrow.title)
    return element("g", {"class": names}, title, element("rect", _rect(box, 4)), joined(texts))
