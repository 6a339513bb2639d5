"""Why a saga is not finished, or how it ended: one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.tracker.core.state import SagaState, SagaStatus, StepState, StepStatus


def reason(state: SagaState, now: int) -> str:
    """One sentence about where a saga stands. `now` is milliseconds UTC."""
    match state.status:
        case SagaStatus.COMPLETED:
            return f"Completed by {state.end} after {_span(state)}."
        case SagaStatus.CANCELLED:
            return f"Cancelled by {state.end} after {_span(state)}."
        case SagaStatus.FAILED:
            return f"Failed after {_span(state)}: {state.error}."
        case SagaStatus.UNKNOWN:
            return f"Not started as far as is known: {_held(state)} waits for the event that caused it."
        case SagaStatus.RUNNING:
            return _running(state, now)


def _running(state: SagaState, now: int) -> str:
    waiting = [step for step in state.steps if step.status is StepStatus.QUEUED]
    if not waiting:
        return f"No step has anything to do: {_held(state)} waits for the event that caused it."
    return " ".join(_queued(step, now) for step in waiting) + _remaining(state)


def _queued(step: StepState, now: int) -> str:
    since = step.since or now
    return (
        f"Step {step.name} (attempt {step.attempt}) has its work since {_time(since)}, {length(now - since)} ago, "
        "and has not ended: it is queued or running at its service."
    )


def _remaining(state: SagaState) -> str:
    left = [step.name for step in state.steps if step.status is StepStatus.WAITING]
    return f" Then: {', '.join(left)}." if left else ""


def _held(state: SagaState) -> str:
    held = [event.type for event in state.held_events] + [report.kind for report in state.held_reports]
    return _listed(held) if held else "nothing"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} (and {len(names) - 1} more)"


def _span(state: SagaState) -> str:
    return length((state.ended_at or 0) - (state.started_at or state.ended_at or 0))


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S UTC")


def length(milliseconds: int) -> str:
    """A duration as people say it: `340 ms`, `4.2 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    seconds = max(0, milliseconds) / 1000
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"
