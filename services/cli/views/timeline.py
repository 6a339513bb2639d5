"""A saga's steps on a time axis: status, bar, duration."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.output import safe
from services.tracker.core.reason import length
from services.tracker.core.state import SagaState, StepState, StepStatus

BAR = 28
"""Characters of the time axis."""

STEP_MARKS = {
    StepStatus.DONE: ("✓", "green"),
    StepStatus.FAILED: ("✗", "bold red"),
    StepStatus.QUEUED: ("●", "yellow"),
    StepStatus.WAITING: ("·", "dim"),
    StepStatus.SKIPPED: ("-", "dim"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, milliseconds."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Milliseconds; never negative, since clocks differ."""
        return max(0, self.end - self.start)


def whole(state: SagaState, now: int) -> Span:
    """From the saga's first event to its end, or to now."""
    start = state.started_at or state.updated_at
    return Span(start, max(start, state.ended_at or now))


def span_of(step: StepState, now: int) -> Span | None:
    """From a step's first trigger to its last end, or to now; none if it never had work."""
    if not step.runs:
        return None
    first, last = step.runs[0], step.runs[-1]
    end = last.ended_at if step.status is not StepStatus.QUEUED else None
    return Span(first.at, max(first.at, now if end is None else end))


def bar(span: Span, axis: Span, width: int = BAR) -> tuple[int, int]:
    """Where a bar begins on an axis of `width` characters, and how long it is: at least one."""
    total = max(1, axis.length)
    begin = min(width - 1, (span.start - axis.start) * width // total)
    end = -(-(span.end - axis.start) * width // total)
    return max(0, begin), max(1, min(width, end) - max(0, begin))


def timeline(state: SagaState, now: int, busy: RenderableType | None = None) -> Table:
    """Every step of the saga: mark (`busy` for one at work), name, bar, duration, and what is to say about it."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, width=BAR)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    axis = whole(state, now)
    for step in state.steps:
        mark, *rest = _row(step, axis, now)
        table.add_row(busy if busy is not None and step.status is StepStatus.QUEUED else mark, *rest)
    return table


def _row(step: StepState, axis: Span, now: int) -> tuple[Text, Text, Text, Text, Text]:
    mark, style = STEP_MARKS[step.status]
    span = span_of(step, now)
    duration = "" if span is None else length(span.length)
    return (
        Text(mark, style),
        safe(step.name, "bold" if span else "dim"),
        _bar_text(span, axis, style),
        Text(duration, "dim" if step.status is StepStatus.DONE else style),
        _remark(step),
    )


def _bar_text(span: Span | None, axis: Span, style: str) -> Text:
    begin, size = bar(span, axis) if span is not None else (BAR, 0)
    left, right = "┈" * begin, "┈" * (BAR - begin - size)
    return Text.assemble((left, "bright_black"), ("━" * size, style), (right, "bright_black"))


def _remark(step: StepState) -> Text:
    attempts = f"attempt {step.attempt}" if step.attempt > 1 else ""
    match step.status:
        case StepStatus.DONE:
            return Text(attempts, "dim")
        case StepStatus.FAILED:
            return safe(", ".join(filter(None, (attempts, step.error))), "red")
        case _:
            return Text(", ".join(filter(None, (step.status.value, attempts))), "dim")
