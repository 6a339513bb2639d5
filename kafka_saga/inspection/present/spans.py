"""How long a saga and its steps took, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from kafka_saga.tracker.core.state import SagaState, StepState


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
    end = None if step.status.is_lasting else last.ended_at
    return Span(first.at, max(first.at, now if end is None else end))


def progress(state: SagaState, step: StepState) -> str:
    """How far a running handler says it is: `12 of 40, parsing`."""
    told = next((one for one in reversed(state.progress) if one.step == step.name), None)
    if told is None:
        return ""
    of = f" of {told.total}" if told.total is not None else ""
    return ", ".join(filter(None, (f"{told.done}{of}" if told.done is not None else "", told.note)))


def remaining(state: SagaState) -> tuple[str, ...]:
    """The steps that have yet to end."""
    return tuple(step.name for step in state.steps if step.status.is_remaining)


def current_steps(state: SagaState) -> tuple[str, ...]:
    """The steps that the saga stands at: the one answer to that, for lists, filters and counts."""
    return tuple(step.name for step in state.steps if step.status.is_current)
