"""The five fixed shapes: a chain, a choice, a fork, one that asks people, one that supersedes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from kafka_saga.definition.durations import minutes, seconds
from kafka_saga.definition.model import COMPLETED, FAILED, EndStatus, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.events.event import Event
from tests.simulation.definitions.facts import Fact, fact

QUICK = Retry(attempts=3, first=seconds(1), max_delay=seconds(5))


def step(
    name: str,
    on: type[Fact],
    *emits: type[Fact],
    compensates: bool = False,
    deadline: timedelta | None = None,
    on_cancel: OnCancel = OnCancel.FINISH,
) -> Step:
    """A step of a shape, with short times."""
    return Step(
        name,
        on=on,
        emits=emits,
        timeout=seconds(20),
        deadline=deadline,
        retry=QUICK,
        compensation_retry=QUICK,
        compensates=compensates,
        on_cancel=on_cancel,
    )


def _chain() -> tuple[Saga, int]:
    start, a, b, c, d = (fact(f"chn.{what}") for what in ("started", "a", "b", "c", "d"))
    steps = (
        step("chn1", start, a, compensates=True),
        step("chn2", a, b, compensates=True, deadline=seconds(40)),
        step("chn3", b, c, compensates=True, on_cancel=OnCancel.INTERRUPT),
        step("chn4", c, d),
    )
    return _saga("chn", start, steps, {d: COMPLETED}, OnFailure.COMPENSATE), 1


def _choice() -> tuple[Saga, int]:
    start, paid, declined, kept, missing, sent = (
        fact(f"cho.{what}") for what in ("started", "paid", "declined", "kept", "missing", "sent")
    )
    steps = (
        step("cho1", start, paid, declined, compensates=True, deadline=seconds(60)),
        step("cho2", paid, kept, missing, compensates=True),
        step("cho3", kept, sent, compensates=True),
    )
    ends: dict[type[Event], EndStatus] = {declined: FAILED, missing: FAILED, sent: COMPLETED}
    return _saga("cho", start, steps, ends, OnFailure.COMPENSATE), 1


def _fork() -> tuple[Saga, int]:
    start, split, left, right, end = (fact(f"frk.{what}") for what in ("started", "split", "left", "right", "end"))
    steps = (
        step("frk1", start, split, compensates=True),
        step("frk2", split, left, compensates=True),
        step("frk3", split, right, compensates=True, deadline=seconds(45)),
        step("frk4", right, end),
    )
    return _saga("frk", start, steps, {left: COMPLETED, end: COMPLETED}, OnFailure.COMPENSATE), 1


def _patient() -> tuple[Saga, int]:
    start, a, b, c = (fact(f"pat.{what}") for what in ("started", "a", "b", "c"))
    steps = (
        step("pat1", start, a, compensates=True),
        step("pat2", a, b, compensates=True, deadline=seconds(30)),
        step("pat3", b, c, on_cancel=OnCancel.INTERRUPT),
    )
    return _saga("pat", start, steps, {c: COMPLETED}, OnFailure.INCIDENT, deadline=minutes(10)), 1


def _superseding() -> tuple[Saga, int]:
    start, a, b, c = (fact(f"sup.{what}") for what in ("started", "a", "b", "c"))
    steps = (
        step("sup1", start, a),
        step("sup2", a, b, compensates=True, on_cancel=OnCancel.INTERRUPT),
        step("sup3", b, c, compensates=True),
    )
    return _saga("sup", start, steps, {c: COMPLETED}, OnFailure.COMPENSATE, OnConflict.SUPERSEDE), 2


def _saga(
    name: str,
    start: type[Fact],
    steps: tuple[Step, ...],
    ends: Mapping[type[Event], EndStatus],
    on_failure: OnFailure,
    on_conflict: OnConflict = OnConflict.ALLOW,
    deadline: timedelta | None = None,
) -> Saga:
    return Saga(
        name=name,
        version=1,
        starts_on=start,
        key="{key}",
        run="{run}",
        steps=steps,
        ends=ends,
        deadline=deadline,
        on_failure=on_failure,
        on_conflict=on_conflict,
        settle_timeout=seconds(8),
    )


FIXED: Mapping[str, Callable[[], tuple[Saga, int]]] = {
    "chn": _chain,
    "cho": _choice,
    "frk": _fork,
    "pat": _patient,
    "sup": _superseding,
}
"""How to build each: the definition, and how many runs share a key."""
