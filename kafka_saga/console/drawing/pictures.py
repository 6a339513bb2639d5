"""What a graph's drawing shows, before it is laid out: nodes with their lines of text, and labelled edges."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass

from kafka_saga.api.sagas import Edge, Graph, Node, NodeKind
from kafka_saga.api.topology import DefinitionTopology, Figures, StepTopology
from kafka_saga.console.drawing.layout import Sized
from kafka_saga.console.drawing.marks import SIZE, PictureTone, tone
from kafka_saga.console.drawing.widths import fitted, width, wrapped
from kafka_saga.console.words import counted, plain, visible
from kafka_saga.statuses import meaning_of
from kafka_saga.wire.wording import length

NAME, WORDS, LABEL = 14.0, 12.0, 11.5
"""Font sizes, pixels."""

_BOLD = 1.1
_LINE = 16.0
PAD = 12.0
ROUND = 6.0
"""What round ends take of the room at either side."""

_NARROWEST, _WIDEST = 112.0, 188.0
_LONGEST_LABEL = 170.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A node as it is drawn: its lines of text fit its room, `title` is all of it."""

    node: Node
    name: str
    lines: tuple[str, ...]
    title: str
    room: Sized

    @property
    def tone(self) -> PictureTone:
        """The colour of its state."""
        return tone(self.node.state)


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge as it is drawn, between nodes by their places; `label` is none if its nodes say it already."""

    source: int
    target: int
    edge: Edge
    label: Hashable
    lines: tuple[str, ...]
    title: str
    room: Sized
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """All of a graph's drawing; `said` is each of its nodes as a sentence."""

    figures: tuple[Figure, ...]
    arrows: tuple[Arrow, ...]
    is_of_saga: bool


def picture(graph: Graph) -> Picture:
    """The drawing of a definition, or of a saga in its definition."""
    return _picture(graph, {}, is_of_saga=any(node.state for node in graph.nodes))


def flow(definition: DefinitionTopology, paused: Collection[str]) -> Picture:
    """The drawing of a definition with what goes on at its steps, and which of them are paused."""
    held = tuple(
        node.model_copy(update={"state": "paused"}) if node.kind is NodeKind.STEP and node.name in paused else node
        for node in definition.graph.nodes
    )
    loads = {step.name: step for step in definition.steps}
    return _picture(Graph(nodes=held, edges=definition.graph.edges), loads, is_of_saga=False)


def _picture(graph: Graph, loads: Mapping[str, StepTopology], *, is_of_saga: bool) -> Picture:
    places = {node.id: at for at, node in reversed(list(enumerate(graph.nodes)))}
    known = [edge for edge in dict.fromkeys(graph.edges) if edge.source in places and edge.target in places]
    arrows = tuple(_arrow(graph, places, edge, loads) for edge in known)
    return Picture(tuple(map(_figure, graph.nodes)), arrows, is_of_saga)


def sentence(node: Node) -> str:
    """How a node stands."""
    return ", ".join(filter(None, (node.words or plain(node.state), _time(node), node.error)))


def _time(node: Node) -> str:
    meaning = meaning_of(node.state)
    is_timed = meaning is not None and meaning.is_timed
    return length(node.duration_ms) if node.duration_ms is not None and is_timed else ""


def _figure(node: Node) -> Figure:
    words = " · ".join(filter(None, (node.words or plain(node.state), _time(node))))
    lines = wrapped(words, _WIDEST - 2 * PAD - SIZE - 6, WORDS, 2)
    name = fitted(node.name, _WIDEST - 2 * PAD, NAME * _BOLD)
    inner = max(width(name, NAME * _BOLD), *(width(line, WORDS) + SIZE + 6 for line in (*lines, "")))
    round_ends = 2 * ROUND if node.kind is not NodeKind.STEP else 0
    broad = min(max(inner + 2 * PAD + round_ends, _NARROWEST), _WIDEST + round_ends)
    room = Sized(broad, 2 * PAD + _LINE + _LINE * len(lines) + (2 if lines else 0))
    return Figure(node, name, lines, f"{node.name}: {sentence(node)}".removesuffix(": "), room)


def _arrow(graph: Graph, places: Mapping[str, int], edge: Edge, loads: Mapping[str, StepTopology]) -> Arrow:
    source, target = (graph.nodes[places[one]] for one in (edge.source, edge.target))
    is_said = (source.kind is NodeKind.EVENT and source.name == edge.label) or (
        target.kind is NodeKind.END and target.name == edge.label
    )
    load = loads.get(target.name) if target.kind is NodeKind.STEP else None
    full = (*(() if is_said else (edge.label,)), *(() if load is None else _load(load)))
    lines = tuple(fitted(line, _LONGEST_LABEL, LABEL * _BOLD) for line in full)
    broad = max((width(line, LABEL * _BOLD) for line in lines), default=0) + 10
    room = Sized(broad, 6 + _LINE * len(lines)) if lines else Sized(0, 0)
    key = None if not lines else edge.label if load is None else (edge.label, edge.target)
    title = ", ".join((edge.label, *full[0 if is_said else 1 :]))
    is_bad = load is not None and _figures(load).failed > 0
    return Arrow(places[edge.source], places[edge.target], edge, key, lines, title, room, is_bad)


def _load(step: StepTopology) -> Iterator[str]:
    """Throughput, failures, and how far its service is behind."""
    found = _figures(step)
    yield f"{found.done:,} done / min"
    if found.failed or found.retried:
        yield f"{found.failed:,} failed, {found.retried:,} retried"
    yield _lag(step)


def _figures(step: StepTopology) -> Figures:
    return step.windows.get("1m", Figures())


def _lag(step: StepTopology) -> str:
    if step.lag is None:
        return "lag not known"
    if not step.lag.events:
        return "no lag"
    age = "" if step.lag.seconds is None else f", {length(round(step.lag.seconds * 1000))}"
    return f"lag {counted(step.lag.events, 'event')}{age}"


def told(graph: Picture) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The drawing in words: of each node its name, how it stands, and where its events lead."""
    for at, figure in enumerate(graph.figures):
        leads = tuple(
            f"{visible(arrow.title)} leads to {visible(graph.figures[arrow.target].node.name)}"
            for arrow in graph.arrows
            if arrow.source == at
        )
        yield figure.node.name, sentence(figure.node), leads
