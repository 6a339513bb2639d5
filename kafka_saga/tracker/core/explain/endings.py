"""How a saga has ended, and what may still follow."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.explain.around import Look
from kafka_saga.tracker.core.explain.undoing import attempts_to_undo, being_undone, under_way
from kafka_saga.tracker.core.explain.wording import both, brief, steps
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.wording import length

_CANCELLED = "cancelled "


def ending(look: Look) -> str:
    """A saga that has ended."""
    return " ".join((_how(look.state), *_undone(look.state), *_still_coming(look)))


def _how(state: SagaState) -> str:
    span = length((state.ended_at or 0) - (state.started_at or state.ended_at or 0))
    error = brief(state.error or "")
    match state.status:
        case SagaStatus.COMPLETED:
            return f"Completed by {state.end} after {span}{_brought_back(state)}."
        case SagaStatus.CANCELLED if error.startswith(_CANCELLED):
            return f"Cancelled after {span} {error.removeprefix(_CANCELLED)}."
        case _:
            how = f": {error}" if error else f" by {state.end}"
            return f"{state.status.value.capitalize()} after {span}{how}."


def _brought_back(state: SagaState) -> str:
    if not state.epoch:
        return ""
    times = "once" if state.epoch == 1 else f"{state.epoch} times"
    return f", in epoch {state.epoch}: it was redriven, rewound or had a step skipped {times}"


def _undone(state: SagaState) -> Iterator[str]:
    """What was undone, and what a person has left as it is."""
    if state.undo is None:
        return
    found = attempts_to_undo(state)
    undone = [one.sent.step for one in found if one.is_paid]
    left = [one.sent.step for one in found if one.is_waived and not one.is_paid]
    if undone:
        yield f"Undone: {both(undone)}."
    if left:
        yield f"Not undone, since a person skipped that: {both(left)}."
    if not found:
        yield "No step was undone."


def _still_coming(look: Look) -> Iterator[str]:
    """Outcomes that come, or may come, after the end."""
    state, one = look.state, under_way(look.state)
    if one is not None:
        yield f"{being_undone(look, one)}: that outcome came too late."
    live = [step.name for step in state.steps if is_live(state, (step.name,))]
    if live and state.undo is not None:
        yield f"{steps(live).capitalize()} may still be running: {_if_it_comes(look, live)}."


def _if_it_comes(look: Look, live: list[str]) -> str:
    if look.plan is None:
        return "an outcome that still comes is undone, if the step can be"
    can = any(look.plan.steps[step].compensated for step in live)
    return f"an outcome that still comes is {'undone' if can else 'only noted'}, and the saga stays as it is"
