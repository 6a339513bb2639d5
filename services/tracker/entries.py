"""What services must know of a saga or a wider scope, as entries of `saga.control`. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from schemas.control import ControlEntry, Hold
from services.tracker.core.derive import is_live
from services.tracker.core.state import Goal, SagaState

REMEMBERED = 30 * 24 * 3600 * 1000
"""Milliseconds that a past pause is remembered: no saga lives longer."""


def entry_of(state: SagaState, revision: int) -> ControlEntry | None:
    """What is to be heeded about a saga; none if nothing is."""
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


def resumed(entry: ControlEntry | None, revision: int, at: int) -> ControlEntry | None:
    """A wide scope that goes on; the pause is remembered, since it puts off deadlines. None if it was not paused."""
    if entry is None or entry.paused is None:
        return None
    frozen = (*entry.frozen, (entry.paused.at, max(at, entry.paused.at)))
    return replace(
        entry, revision=revision, paused=None, frozen=tuple(past for past in frozen if past[1] > at - REMEMBERED)
    )
