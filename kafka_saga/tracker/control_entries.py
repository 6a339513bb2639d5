"""What services must know of a saga or a wider scope, as entries of `saga.control`. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from kafka_saga.tracker.core.derive import is_live
from kafka_saga.tracker.core.state import Goal, SagaState
from kafka_saga.wire.control import PREFIX, ControlEntry, Hold

DAY = 24 * 3600 * 1000

REMEMBERED = 30 * DAY
"""Milliseconds that a past pause is remembered: no saga lives longer."""

MAX_FROZEN = 200
"""How many past pauses of a scope are remembered; of more, those that lie closest together are taken as one."""


def entry_of(state: SagaState, revision: int) -> ControlEntry | None:
    """What services must know of a saga; none if there is nothing."""
    pause = next((one for one in state.pauses if one.scope == "saga" and one.until is None), None)
    is_over = state.undo is not None and state.undo.goal is not Goal.REDO
    if state.status.is_final and not is_live(state):
        return None
    if not (pause or is_over or state.floors):
        return None
    return ControlEntry(
        revision,
        cancelled=state.undo.reason if is_over and state.undo else None,
        paused=Hold(pause.by, pause.reason, pause.at) if pause and not state.status.is_final else None,
        floors=state.floors,
    )


def same(one: ControlEntry | None, other: ControlEntry | None) -> bool:
    """Whether two entries ask for the same, whatever their revisions."""
    if one is None or other is None:
        return one is other
    return replace(one, revision=0) == replace(other, revision=0)


def paused(entry: ControlEntry | None, revision: int, hold: Hold) -> ControlEntry | None:
    """A wide scope that is paused now; none if it was already."""
    if entry is None:
        return ControlEntry(revision, paused=hold)
    return None if entry.paused is not None else replace(entry, revision=revision, paused=hold)


def resumed(entry: ControlEntry | None, revision: int, by: Hold) -> ControlEntry | None:
    """A wide scope that goes on; the pause is remembered, since it puts off deadlines. None if it was not paused."""
    if entry is None or entry.paused is None:
        return None
    frozen = (*entry.frozen, (entry.paused.at, max(by.at, entry.paused.at)))
    lately = _few([past for past in frozen if past[1] > by.at - REMEMBERED])
    return replace(entry, revision=revision, paused=None, frozen=lately, resumed=by)


def forgotten_at(scope: str, entry: ControlEntry) -> int | None:
    """When nobody needs the entry of a wide scope any more (milliseconds UTC); none while it holds something up.

    A saga takes note of a prefix that is resumed as soon as everything up to then has been read, and keeps the pause
    itself; a day is for the same command given twice. Deadlines are put off by the pauses of steps and definitions.
    """
    if entry.paused is not None or entry.resumed is None:
        return None
    return entry.resumed.at + (DAY if scope.startswith(PREFIX) else REMEMBERED)


def _few(frozen: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Past pauses; of too many, the two between which the least time lies are one: a deadline is a little later."""
    while len(frozen) > MAX_FROZEN:
        place = min(range(1, len(frozen)), key=lambda place: frozen[place][0] - frozen[place - 1][1])
        frozen[place - 1 : place + 1] = [(frozen[place - 1][0], frozen[place][1])]
    return tuple(frozen)
