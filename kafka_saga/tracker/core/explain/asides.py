"""What else is worth a sentence: whatever the state of a saga, beside why it stands where it does."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.definition.model import OnFailure
from kafka_saga.tracker.core.due_items import DueItem, DueKind, due_items
from kafka_saga.tracker.core.explain.around import Look
from kafka_saga.tracker.core.explain.runs import is_overdue
from kafka_saga.tracker.core.explain.standing import incidents
from kafka_saga.tracker.core.explain.undoing import being_undone, under_way
from kafka_saga.tracker.core.explain.wording import ahead, because, first_of, since
from kafka_saga.tracker.core.state import SagaStatus
from kafka_saga.wire.wording import length

_DEADLINES = frozenset({DueKind.DEADLINE, DueKind.SAGA_DEADLINE})
_STANDING_STILL = frozenset({SagaStatus.PAUSED, SagaStatus.PAUSING})


def asides(look: Look) -> Iterator[str]:
    """Everything that holds, the most urgent last: it is what a person has to see to."""
    yield from _deadline(look)
    yield from _old_outcome(look)
    yield from _asked(look)
    yield from _set_aside(look)
    yield from _incidents(look)
    yield from _letters(look)
    yield from _tracker(look)


def _deadline(look: Look) -> Iterator[str]:
    """The next deadline of a saga that goes on: of its steps, else its own."""
    state, plan = look.state, look.plan
    if plan is None or state.undo is not None or state.status.is_final:
        return
    items = [item for item in due_items(state, plan, look.around.wide) if item.what in _DEADLINES]
    if items:
        fails = "the saga fails and is undone" if plan.definition.on_failure is OnFailure.COMPENSATE else ""
        yield _of_deadline(min(items, key=_of_steps_first), look.now, fails or "a person is asked")


def _of_steps_first(item: DueItem) -> tuple[int, int]:
    return item.what, item.at


def _of_deadline(item: DueItem, now: int, then: str) -> str:
    whose = f"step {item.about}" if item.about else "the saga"
    if is_overdue(item.at, now):
        return f"The deadline of {whose} was {ahead(item.at, now)}, and is about to be decided on."
    return f"The deadline of {whose} is {ahead(item.at, now)}: then {then}."


def _old_outcome(look: Look) -> Iterator[str]:
    """Of an older epoch, while the saga goes on."""
    one = under_way(look.state)
    if one is not None and look.state.undo is None and not look.state.status.is_final:
        yield f"{being_undone(look, one)}: that outcome is of an older epoch."


def _asked(look: Look) -> Iterator[str]:
    asked = [f"{one.command} by {one.author}" for one in look.state.asked]
    if asked:
        yield f"A command is about to be decided on: {first_of(asked)}, {since(look.state.asked[0].at, look.now)}."


def _set_aside(look: Look) -> Iterator[str]:
    found = [f"{one.type}, as {one.why}" for one in look.state.unmatched if one.why.startswith("what caused it")]
    if found and not look.state.status.is_final:
        yield f"Set aside: {first_of(found)}."


def _incidents(look: Look) -> Iterator[str]:
    if look.state.incidents and (look.state.status.is_final or look.state.status in _STANDING_STILL):
        yield incidents(look)


def _letters(look: Look) -> Iterator[str]:
    letters = look.around.letters
    if letters:
        last = letters[-1]
        many = "A record of it" if len(letters) == 1 else f"{len(letters):,} records of it"
        which = "" if len(letters) == 1 else ", the last"
        yield f"{many} could not be read{which}{because(last.reason)}. See `saga dlq show {last.place}`."


def _tracker(look: Look) -> Iterator[str]:
    if look.state.status.is_final:
        return
    if look.around.undecided:
        yield (
            f"A transaction on {look.around.undecided} has no end, so that nobody reads on behind it: "
            "`saga kafka hanging --abort` ends it."
        )
    if look.around.trackers == 0:
        start = look.around.started_by or "saga tracker"
        yield f"No tracker is running, so no retry, deadline or command is decided: start one (`{start}`)."
    elif look.around.behind >= 1:
        yield f"The tracker is {length(round(look.around.behind * 1000))} behind: more may have happened."
