"""What the tracker's tables say when everything has come to rest, held against how a saga stands by its records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kafka_saga.definition.topics import SAGA_CONTROL, SAGA_STATE
from kafka_saga.wire.control import of_saga
from tests.simulation.history import History
from tests.simulation.reference.standing import Standing
from tests.simulation.reference.timelines import Timeline
from tests.simulation.seen import Seen

KEPT_UNMATCHED = 20
"""How many records that do not fit are kept a saga (docs/steering.md, "Records that do not fit")."""

Entry = Mapping[str, Any]
"""The JSON of a table's record."""

Problem = tuple[str, str]
"""The rule that is broken, and how."""


class Tables(NamedTuple):
    """The last records of `saga.state` and `saga.control` by partition and key, and the log time of the last record."""

    states: Mapping[tuple[int, str], Seen]
    control: Mapping[tuple[int, str], Seen]
    now: int


def tables(log: History) -> Tables:
    """The tables as the log leaves them."""
    last = max((seen.written_at for all_seen in log.records.values() for seen in all_seen), default=0)
    return Tables(_last(log.of(SAGA_STATE)), _last(log.of(SAGA_CONTROL)), last)


def problems(standing: Standing, timeline: Timeline, known: Tables) -> Iterator[Problem]:
    """What the tables say of a saga that is not so."""
    if standing.start is None:
        return
    yield from _of_control(standing, known)
    seen = known.states.get((standing.partition, standing.name.id))
    if seen is None:
        yield "every_saga_is_known", "the table of sagas has never known it"
    elif seen.value is None:
        yield from _of_forgotten(standing, seen)
    elif (state := _json(seen)).get("definition") != standing.name.definition:
        yield "every_saga_is_known", f"the table has a saga of {state.get('definition')!r} in its place"
    else:
        yield from _of_state(standing, state, timeline, known)


def _of_state(standing: Standing, state: Entry, timeline: Timeline, known: Tables) -> Iterator[Problem]:
    actual, expected = state.get("status", "unknown"), _statuses(standing)
    if actual not in expected:
        yield _rule_of_status(actual, expected), f"it is said to be {actual}, and is {' or '.join(sorted(expected))}"
    if (state.get("epoch", 0), state.get("floors", {})) != (standing.epoch, standing.floors):
        what = f"epoch {state.get('epoch', 0)} and floors {state.get('floors', {})}"
        yield "floors_are_of_what_follows", f"{what} instead of {standing.epoch} and {standing.floors}"
    if _is_to_be_forgotten(standing, state, known.now):
        yield "a_finished_saga_is_forgotten", "its time is over, and it is kept"
    yield from _of_unmatched(standing, state, timeline)


def _statuses(standing: Standing) -> frozenset[str]:
    """The statuses that fit: whether settling is over cannot be told from outside."""
    final = standing.final()
    if final is not None:
        return frozenset({final})
    if standing.is_paused():
        return frozenset({"pausing" if standing.is_live() or standing.is_undoing() else "paused"})
    if standing.undo is None:
        return frozenset({"running"})
    return frozenset({"compensating", "cancelling"} if standing.undo.goal == "cancelled" else {"compensating"})


def _rule_of_status(actual: str, expected: frozenset[str]) -> str:
    held = {"paused", "pausing"}
    if expected & held:
        return "an_accepted_pause_holds"
    if actual in held:
        return "an_accepted_resume_goes_on"
    if actual == "completed" and expected & {"failed", "compensating", "running"}:
        return "what_completes_is_done"
    return "the_state_says_how_it_stands"


# ---- forgetting


def _is_to_be_forgotten(standing: Standing, state: Entry, now: int) -> bool:
    if standing.final() is None or standing.is_live() or state.get("incidents"):
        return False
    kept = round(standing.definition.keep_finished.total_seconds() * 1000)
    return bool(max(state.get("ended_at", 0), state.get("updated_at", 0)) + kept + SLACK < now)


SLACK = 60_000
"""Milliseconds in which what is due is done, with ticks ten seconds apart."""


def _of_forgotten(standing: Standing, tombstone: Seen) -> Iterator[Problem]:
    if standing.final() is None:
        yield "only_a_finished_saga_is_forgotten", f"it is forgotten, and is {' or '.join(_statuses(standing))}"
    if standing.is_live():
        yield "a_saga_that_is_waited_for_is_kept", "it is forgotten, and a delivery of it is out"
    kept = round(standing.definition.keep_finished.total_seconds() * 1000)
    ended = max(fact.at for fact in standing.events.values())
    if tombstone.written_at + standing.slack < ended + kept:
        yield (
            "a_saga_is_kept_as_long_as_it_says",
            f"it is forgotten {tombstone.written_at - ended} ms after its last record",
        )


# ---- control


def _of_control(standing: Standing, known: Tables) -> Iterator[Problem]:
    seen = known.control.get((standing.partition, of_saga(standing.name.id)))
    actual = None if seen is None or seen.value is None else _json(seen)
    expected = _entry(standing)
    if expected is None and actual is not None:
        yield "control_is_cleared", f"nothing is to be heeded any more, and control says {actual}"
    if expected is None:
        return
    said = None if actual is None else {name: actual.get(name) for name in ("cancelled", "paused", "floors")}
    found = (
        (None, None, None) if said is None else (bool(said["cancelled"]), bool(said["paused"]), said["floors"] or {})
    )
    if found[:2] != expected[:2]:
        yield "control_says_what_holds", f"control says {said}, and cancelled, paused are {expected[:2]}"
    elif found[2] != expected[2]:
        yield "floors_are_of_what_follows", f"control says {found[2]} instead of {expected[2]}"


def _entry(standing: Standing) -> tuple[bool, bool, Mapping[str, int]] | None:
    """What services have to follow: whether the saga is cancelled and is paused itself, and its floors."""
    is_final = standing.final() is not None
    is_over = standing.undo is not None and standing.undo.is_over
    is_paused = bool(standing.pauses) and standing.pauses[-1][1] is None
    if (is_final and not standing.is_live()) or not (is_paused or is_over or standing.floors):
        return None
    return is_over, is_paused and not is_final, standing.floors


# ---- what does not fit


def _of_unmatched(standing: Standing, state: Entry, timeline: Timeline) -> Iterator[Problem]:
    duplicates = [fact.seen for fact in timeline.facts if fact.seen.headers.get("ce_code") == "duplicate_start"]
    expected = sorted((*timeline.unfit, *duplicates), key=lambda seen: (seen.at, seen.topic, seen.offset))
    places = {(seen.topic, seen.offset) for seen in expected}
    kept = {(one["topic"], one["offset"]) for one in state.get("unmatched", ())}
    for seen in expected[-KEPT_UNMATCHED:]:
        if (seen.topic, seen.offset) not in kept and len(kept) < KEPT_UNMATCHED:
            yield "what_does_not_fit_is_kept", f"{seen} ({seen.type}) does not fit, and has left no trace"
    taken = {(fact.seen.topic, fact.seen.offset) for fact in timeline.facts} - places
    for one in state.get("unmatched", ()):
        if (one["topic"], one["offset"]) in taken:
            yield "what_fits_is_taken_in", f"{one['topic']}@{one['offset']} is set aside: {one['why']}"


def _last(seen: Sequence[Seen]) -> dict[tuple[int, str], Seen]:
    return {(one.partition, (one.key or b"").decode(errors="replace")): one for one in seen}


def _json(seen: Seen) -> dict[str, Any]:
    found = json.loads(seen.value or b"{}")
    assert isinstance(found, dict)
    return found
