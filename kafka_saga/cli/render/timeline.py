"""A saga's steps on a time axis: status, bar, duration."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from kafka_saga.cli.output import safe
from kafka_saga.events.reports import StepFailed
from kafka_saga.inspection.present.spans import Span, progress, span_of, whole
from kafka_saga.tracker.core.state import SagaState, StepState, StepStatus
from kafka_saga.wire.wording import length

BAR = 28
"""Characters of the time axis."""


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
        mark, *rest = _row(state, step, axis, now)
        table.add_row(busy if busy is not None and step.status.is_at_service else mark, *rest)
    return table


def remark(state: SagaState, step: StepState, now: int) -> Text:
    """What there is to say about a step besides how long it took."""
    attempts = f"attempt {step.attempt}" if step.attempt > 1 else ""
    match step.status:
        case StepStatus.DONE:
            return Text(attempts, "dim")
        case StepStatus.FAILED:
            return _listed("red", attempts, step.error)
        case StepStatus.RETRYING:
            return _listed("yellow", f"attempt {step.attempt + 1} {_when(step, now)}", f"last: {step.error}")
        case StepStatus.RUNNING:
            return _listed("yellow", step.status.value, attempts, progress(state, step))
        case _:
            return _listed("dim", step.status.value, attempts)


def _when(step: StepState, now: int) -> str:
    due = step.runs[-1].retry_at if step.runs else None
    if due is None:
        return "to come"
    return f"in {length(due - now)}" if due > now else "now"


def _listed(style: str, *parts: str | None) -> Text:
    return safe(", ".join(filter(None, parts)), style)


def _row(state: SagaState, step: StepState, axis: Span, now: int) -> tuple[Text, Text, Text, Text, Text]:
    mark, style = step.status.meaning.sign, step.status.meaning.style
    span = span_of(step, now)
    duration = "" if span is None else length(span.length)
    return (
        Text(mark, style),
        safe(step.name, "bold" if span else "dim"),
        _bar_text(span, axis, style, attempts_lost(state, step.name)),
        Text(duration, "dim" if step.status is StepStatus.DONE else style),
        remark(state, step, now),
    )


def attempts_lost(state: SagaState, step: str) -> tuple[int, ...]:
    """When attempts of a step failed (milliseconds UTC)."""
    return tuple(report.at for report in state.reports if report.step == step and report.kind == StepFailed.event_type)


def _bar_text(span: Span | None, axis: Span, style: str, lost: Sequence[int]) -> Text:
    begin, size = bar(span, axis) if span is not None else (BAR, 0)
    text = Text.assemble(
        ("┈" * begin, "bright_black"), ("━" * size, style), ("┈" * (BAR - begin - size), "bright_black")
    )
    for at in {bar(Span(moment, moment), axis)[0] for moment in lost}:
        text = Text.assemble(text[:at], ("✗", "red"), text[at + 1 :])
    return text
