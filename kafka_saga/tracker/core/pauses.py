"""Time that does not count: when something that was put off by pauses is due. All times are milliseconds UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.control import ControlEntry, is_of_prefix, of_definition, step_in

Interval = tuple[int, int | None]
"""From, to; to is none while it lasts."""


class Wide(NamedTuple):
    """What control says beyond one saga: about its key's prefixes (by scope), its definition, and its steps by name."""

    prefixes: tuple[tuple[str, ControlEntry], ...] = ()
    definition: ControlEntry | None = None
    steps: tuple[tuple[str, ControlEntry], ...] = ()


NOTHING_WIDE = Wide()


def wide_of(entries: Mapping[str, ControlEntry], state: SagaState) -> Wide:
    """What the entries of control, by scope, say of a saga beyond the saga itself."""
    if not entries:
        return NOTHING_WIDE
    key, definition = state.key, state.definition
    steps = ((step_in(scope, definition), entry) for scope, entry in entries.items())
    return Wide(
        tuple((scope, entry) for scope, entry in entries.items() if is_of_prefix(scope, key)),
        entries.get(of_definition(definition)),
        tuple((step, entry) for step, entry in steps if step is not None),
    )


def due_at(since: int, length: int, intervals: Iterable[Interval]) -> int | None:
    """When `length` of unpaused time has passed since `since`; none while a pause that began before then lasts."""
    due = since + length
    for begin, end in sorted(intervals, key=_begin):
        if begin >= due:
            break
        if end is None:
            return None
        if end > since:
            due += end - max(begin, since)
    return due


def of_saga(state: SagaState, wide: Wide) -> tuple[Interval, ...]:
    """The pauses of everything of a saga."""
    if not state.pauses and wide.definition is None:
        return ()
    own = ((pause.at, pause.until) for pause in state.pauses)
    return merged((*own, *_of_entry(wide.definition)))


def of_step(state: SagaState, wide: Wide, step: str) -> tuple[Interval, ...]:
    """The pauses of one step of a saga."""
    if not state.pauses and wide is NOTHING_WIDE:
        return ()
    entries = (entry for name, entry in wide.steps if name == step)
    return merged((*of_saga(state, wide), *(interval for entry in entries for interval in _of_entry(entry))))


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time, in intervals that do not overlap, in order."""
    found: list[Interval] = []
    for begin, end in sorted(intervals, key=_begin):
        if found and _reaches(found[-1][1], begin):
            found[-1] = (found[-1][0], _later(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)


def _begin(interval: Interval) -> int:
    return interval[0]


def _reaches(end: int | None, begin: int) -> bool:
    return end is None or begin <= end


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _of_entry(entry: ControlEntry | None) -> tuple[Interval, ...]:
    if entry is None:
        return ()
    return (*entry.frozen, (entry.paused.at, None)) if entry.paused else entry.frozen
