"""The bars of a timeline: a row for each step, in it lanes, so that no bar lies over another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kafka_saga.api.sagas import Span, SpanKind
from kafka_saga.console.drawing.axis import Axis
from kafka_saga.console.words import parsed, plain
from kafka_saga.wire.wording import length

_THINNEST = 4.0
"""Pixels of a bar however short its time."""

_DRIFT = 16.0
"""How many pixels a bar may lie behind its time, for those before it to be seen."""

_ORDER = {kind: at for at, kind in enumerate(SpanKind)}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span with its times in milliseconds; `is_open` while it lasts."""

    span: Span
    start: int
    end: int
    is_open: bool

    @property
    def words(self) -> str:
        """What it is, in few words."""
        return f"{name(self.span)}, {length(self.end - self.start)}{' so far' if self.is_open else ''}"

    @property
    def sentence(self) -> str:
        """All that is known of it."""
        return ", ".join(filter(None, (self.words, self.span.error, self.span.note)))


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch where it is drawn."""

    stretch: Stretch
    x: float
    width: float

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.x + self.width


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A step, or the saga itself if `step` is empty, with its bars in lanes."""

    step: str
    lanes: tuple[tuple[Bar, ...], ...]


def name(span: Span) -> str:
    """What a span is: `attempt 2 failed`, `waiting for a retry`, `paused`."""
    match span.kind:
        case SpanKind.ATTEMPT:
            return f"attempt {span.attempt} {plain(span.status)}"
        case SpanKind.RETRY:
            return "waiting to retry"
        case SpanKind.WAIT:
            return plain(span.status) or "waiting"
        case SpanKind.COMPENSATION:
            return plain(span.status) if span.attempt <= 1 else f"{plain(span.status)}, attempt {span.attempt}"
        case SpanKind.PAUSE:
            return "paused"


def stretches(spans: Iterable[Span], now: datetime) -> tuple[Stretch, ...]:
    """Spans with their times, by their beginnings; those without a readable beginning are left out."""
    found = [one for one in (_stretch(span, _milliseconds(now)) for span in spans) if one is not None]
    return tuple(sorted(found, key=lambda one: (one.start, one.end, _ORDER[one.span.kind])))


def _stretch(span: Span, now: int) -> Stretch | None:
    start, end = parsed(span.started_at), parsed(span.ended_at)
    if start is None:
        return None
    begun = _milliseconds(start)
    return Stretch(span, begun, max(begun, now if end is None else _milliseconds(end)), end is None)


def _milliseconds(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)


def rows(found: Sequence[Stretch], axis: Axis) -> tuple[LaneRow, ...]:
    """The saga's own row first, then a row for each step, in the order of their first spans."""
    steps = dict.fromkeys(one.span.step for one in found)
    return tuple(LaneRow(step, _lanes(found, step, axis)) for step in sorted(steps, key=bool))


def _lanes(found: Sequence[Stretch], step: str, axis: Axis) -> tuple[tuple[Bar, ...], ...]:
    """A bar goes to the first lane that is free in time; drawn, it may be moved by what keeps short ones visible."""
    lanes: list[list[Bar]] = []
    for one in found:
        if one.span.step != step:
            continue
        lane = next((lane for lane in lanes if _is_free(lane[-1], one, axis)), None)
        if lane is None:
            lane = []
            lanes.append(lane)
        lane.append(_bar(one, axis, lane[-1].end if lane else axis.left))
    return tuple(map(tuple, lanes))


def _is_free(last: Bar, one: Stretch, axis: Axis) -> bool:
    if last.stretch.end > one.start:
        return False
    return last.end <= axis.x(one.start) + _DRIFT and last.end + _THINNEST <= axis.left + axis.room


def _bar(one: Stretch, axis: Axis, free_from: float) -> Bar:
    x = min(max(axis.x(one.start), free_from), axis.left + axis.room - _THINNEST)
    return Bar(one, x, max(_THINNEST, axis.x(one.end) - x))
