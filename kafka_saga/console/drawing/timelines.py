"""A timeline as SVG: spans as bars on a time axis, told apart by colour, pattern and words, and all of it as a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from markupsafe import Markup

from kafka_saga.api.sagas import Span, SpanKind
from kafka_saga.console.drawing.axis import Axis
from kafka_saga.console.drawing.lanes import Bar, LaneRow, Stretch, name, rows, stretches
from kafka_saga.console.drawing.marks import PictureTone, tone
from kafka_saga.console.drawing.markup import classes, element
from kafka_saga.console.drawing.widths import fitted, width
from kafka_saga.console.words import counted, moment, plain

LIMIT = 500
"""How many spans are drawn, the latest."""

_LABEL, _STEP = 11.0, 13.0
_BAR, _LANE, _ROW_GAP, _HEAD = 18.0, 22.0, 10.0, 34.0
_TITLE = 18.0
"""The height of a step's name where it stands above its bars."""

_KINDS = {
    SpanKind.ATTEMPT: "at work",
    SpanKind.WAIT: "waiting",
    SpanKind.RETRY: "waiting to retry",
    SpanKind.COMPENSATION: "undoing",
    SpanKind.PAUSE: "paused",
}


def timeline(spans: Sequence[Span], now: datetime, title: str = "The saga's timeline") -> Markup:
    """The timeline; `now` ends what still lasts. On a narrow screen the names of steps stand above their bars."""
    found = stretches(spans, now)
    if not found:
        return element("p", {"class": "draw-empty"}, "Nothing has happened yet.")
    latest = found[-LIMIT:]
    across, narrow = _Chart(latest, title, 1080, 170, "a"), _Chart(latest, title, 360, 0, "n")
    return element(
        "div",
        {"class": "draw-timeline"},
        _cut(len(found)),
        element("div", {"class": "draw-across"}, across.svg()),
        element("div", {"class": "draw-down"}, narrow.svg()),
        _legend(latest),
        element("details", {"class": "draw-told"}, element("summary", {}, "The timeline as a list"), _list(latest)),
    )


def _cut(count: int) -> Markup:
    if count <= LIMIT:
        return Markup("")
    return element("p", {"class": "draw-cut"}, f"Only the latest {LIMIT} of {counted(count, 'span')} are drawn.")


def _legend(found: Sequence[Stretch]) -> Markup:
    """The kinds that occur, with their colours and patterns; attempts by how they ended."""
    keys = dict.fromkeys((one.span.kind, _bar_tone(one)) for one in found)
    return element("ul", {"class": "draw-legend"}, *(_key(kind, shade) for kind, shade in sorted(keys)))


_ATTEMPTS = {PictureTone.OK: "attempt done", PictureTone.BAD: "attempt failed", PictureTone.WORK: "attempt at work"}


def _key(kind: SpanKind, shade: PictureTone) -> Markup:
    said = _ATTEMPTS.get(shade, "attempt that ended otherwise") if kind is SpanKind.ATTEMPT else _KINDS[kind]
    ids = f"draw-key-{shade}"
    said += " failed" if kind is SpanKind.COMPENSATION and shade is PictureTone.BAD else ""
    box = {"class": "draw-key", "viewBox": "0 0 22 12", "width": "22", "height": "12", "aria-hidden": "true"}
    bar = element("g", {"class": f"draw-bar kind-{kind} tone-{shade}"}, *_filled(kind, ids, 0, 0, 22, 12))
    return element("li", {}, element("svg", box, *_patterns(ids, [kind]), bar), " ", said)


def _list(found: Sequence[Stretch]) -> Markup:
    return element("ol", {}, *(_told(one) for one in found))


def _told(one: Stretch) -> Markup:
    return element(
        "li", {}, moment(one.span.started_at), ": ", element("strong", {}, one.span.step or "saga"), f" {one.sentence}"
    )


def _bar_tone(one: Stretch) -> PictureTone:
    match one.span.kind:
        case SpanKind.ATTEMPT:
            return tone(one.span.status)
        case SpanKind.COMPENSATION:
            return PictureTone.BAD if one.span.status == "failed" else PictureTone.UNDO
        case SpanKind.RETRY:
            return PictureTone.WARN
        case SpanKind.PAUSE:
            return PictureTone.HELD
        case SpanKind.WAIT:
            return PictureTone.OFF


@dataclass(frozen=True)
class _Chart:
    """One of the two drawings of a timeline; without room for names they stand above their bars."""

    found: Sequence[Stretch]
    title: str
    width: float
    names: float
    ids: str

    @cached_property
    def axis(self) -> Axis:
        start = min(one.start for one in self.found)
        longest = max(1, max(one.end for one in self.found) - start)
        # what still lasts ends at "now", which is to stand apart from the edge
        right = 40 if any(one.is_open for one in self.found) else 14
        return Axis(start, longest, self.names + 8, self.width - self.names - 8 - right)

    @cached_property
    def rows(self) -> tuple[tuple[float, LaneRow], ...]:
        """Each row with where it begins."""
        placed, top = [], _HEAD + 8
        for row in rows(self.found, self.axis):
            placed.append((top, row))
            top += self._above + _LANE * len(row.lanes) + _ROW_GAP
        return tuple(placed)

    @property
    def _above(self) -> float:
        return 0 if self.names else _TITLE

    @property
    def height(self) -> float:
        top, row = self.rows[-1]
        return top + self._above + _LANE * len(row.lanes) + 6

    def svg(self) -> Markup:
        ids = f"draw-timeline-{self.ids}"
        box = {
            "class": "draw-svg",
            "role": "img",
            "aria-labelledby": f"{ids}-title",
            "aria-describedby": f"{ids}-desc",
            "viewBox": f"0 0 {self.width:g} {self.height:g}",
            "width": self.width,
            "height": self.height,
        }
        return element(
            "svg",
            box,
            element("title", {"id": f"{ids}-title"}, self.title),
            element("desc", {"id": f"{ids}-desc"}, self._said()),
            *_patterns(ids, SpanKind),
            *self._ticks(),
            *(part for top, row in self.rows for part in self._row(top, row)),
            *self._now(),
        )

    def _said(self) -> str:
        start = datetime.fromtimestamp(self.axis.start / 1000, UTC)
        return (
            f"From {start:%Y-%m-%d %H:%M:%S} UTC on, {counted(len(self.found), 'span')}; the list below has them all."
        )

    def _ticks(self) -> Iterator[Markup]:
        start = datetime.fromtimestamp(self.axis.start / 1000, UTC)
        yield element("text", {"class": "draw-start", "x": self.axis.left, "y": 12}, f"{start:%Y-%m-%d %H:%M:%S} UTC")
        for x, said in self.axis.ticks(84 if self.names else 76):
            if x + width(said, _LABEL) > self.width:
                continue
            yield element("line", {"class": "draw-grid", "x1": x, "x2": x, "y1": 20, "y2": self.height})
            yield element("text", {"class": "draw-tick", "x": x + 3, "y": 29}, said)

    def _row(self, top: float, row: LaneRow) -> Iterator[Markup]:
        yield self._name(top, row)
        for at, lane in enumerate(row.lanes):
            y = top + self._above + _LANE * at
            for bar, following in zip(lane, (*lane[1:], None), strict=True):
                yield self._bar(bar, y, self.width if following is None else following.x)

    def _name(self, top: float, row: LaneRow) -> Markup:
        said = fitted(row.step or "saga", (self.names or self.width) - 12, _STEP * 1.1)
        y = top + 13
        line = element("line", {"class": "draw-row", "x1": 0, "x2": self.width, "y1": top - 6, "y2": top - 6})
        title = element("title", {}, row.step or "the saga itself")
        return element("g", {}, line, title, element("text", {"class": "draw-step", "x": 4, "y": y}, said))

    def _bar(self, bar: Bar, y: float, until: float) -> Markup:
        one = bar.stretch
        names = classes(
            "draw-bar", f"kind-{one.span.kind}", f"tone-{_bar_tone(one)}", "is-open" if one.is_open else None
        )
        rects = _filled(one.span.kind, f"draw-timeline-{self.ids}", bar.x, y, bar.width, _BAR)
        open_end = (
            [element("path", {"class": "draw-open", "d": f"M{bar.end:.1f} {y:.1f}l6 9l-6 9z"})] if one.is_open else []
        )
        said = f"{one.span.step or 'saga'}: {one.sentence}"
        return element(
            "g", {"class": names}, element("title", {}, said), *rects, *open_end, *self._said_at(bar, y, until)
        )

    def _said_at(self, bar: Bar, y: float, until: float) -> Iterator[Markup]:
        """Its words, within the bar or behind it; shorter ones if these do not fit, and none if there is no room."""
        after = bar.end + (10 if bar.stretch.is_open else 4)
        for said in (bar.stretch.words, name(bar.stretch.span), plain(bar.stretch.span.status)):
            room = width(said, _LABEL)
            if room + 10 <= bar.width:
                yield element("text", {"class": "draw-inside", "x": bar.x + 5, "y": y + 13}, said)
                return
            if after + room + 6 <= until:
                yield element("text", {"class": "draw-beside", "x": after, "y": y + 13}, said)
                return

    def _now(self) -> Iterator[Markup]:
        ends = [one.end for one in self.found if one.is_open]
        if ends:
            x = self.axis.x(max(ends))
            yield element("line", {"class": "draw-now", "x1": x, "x2": x, "y1": 18, "y2": self.height})
            yield element("text", {"class": "draw-now-word", "x": x, "y": 12, "text-anchor": "middle"}, "now")


def _filled(kind: SpanKind, ids: str, x: float, y: float, breadth: float, height: float) -> Iterator[Markup]:
    """A bar, and over it the pattern of its kind."""
    place: dict[str, object] = {"x": x, "y": y, "width": breadth, "height": height, "rx": 3}
    yield element("rect", {"class": "draw-fill", **place})
    if kind is not SpanKind.ATTEMPT:
        yield element("rect", {"class": "draw-pattern", **place, "fill": f"url(#{ids}-{kind})"})


_PATTERNS = {
    SpanKind.WAIT: "M0 4h2",
    SpanKind.RETRY: "M-2 2l4-4M0 8l8-8M6 10l4-4",
    SpanKind.COMPENSATION: "M-2 6l4 4M0 0l8 8M6-2l4 4",
    SpanKind.PAUSE: "M2 0v8M6 0v8",
}


def _patterns(ids: str, kinds: Sequence[SpanKind] | type[SpanKind]) -> Iterator[Markup]:
    for kind in kinds:
        if kind in _PATTERNS:
            box = {"id": f"{ids}-{kind}", "width": 8, "height": 8, "patternUnits": "userSpaceOnUse"}
            yield element("pattern", box, element("path", {"class": f"draw-hatch kind-{kind}", "d": _PATTERNS[kind]}))
