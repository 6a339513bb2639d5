"""The definitions that are simulated: a chain, a choice, a fork, one that asks people, one that supersedes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, NamedTuple

from schemas.event import Event
from services.chassis.context import Context
from services.chassis.service import Handler, Service
from topology.durations import minutes, seconds
from topology.model import COMPLETED, FAILED, EndStatus, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from topology.template import saga_id

QUICK = Retry(attempts=3, first=seconds(1), max_delay=seconds(5))


class Fact(Event):
    """What all simulated events say: the saga's key and run, and at which step it takes the other way, if any."""

    key: str
    run: int
    turns_at: str = ""


def fact(event_type: str) -> type[Fact]:
    """The event type of that name."""
    name = "".join(part.title() for part in event_type.split("."))
    return type(name, (Fact,), {"event_type": event_type, "__annotations__": {"event_type": ClassVar[str]}})


class Shape(NamedTuple):
    """A definition with its services, one a step, and how many runs share a key."""

    saga: Saga
    services: tuple[Service, ...]
    runs_a_key: int = 1

    def first_event(self, saga: int, turns_at: int = -1) -> Fact:
        """The start of the saga of this number, which takes the other way at a step if one is given."""
        start = self.saga.starts_on
        assert issubclass(start, Fact)
        key, run = divmod(saga, self.runs_a_key)
        return start(key=f"k{key}", run=run, turns_at=self.step(turns_at) if turns_at >= 0 else "")

    def saga_id(self, saga: int) -> str:
        """The id of the saga of this number."""
        return saga_id(self.saga, self.first_event(saga))

    def step(self, step: int) -> str:
        """The name of a step by its number, counted round."""
        return self.saga.steps[step % len(self.saga.steps)].name


def handler(step: Step) -> Handler:
    """Goes on with the first outcome, or with the second if the saga turns here."""

    def handle(event: Fact, context: Context) -> Fact:
        index = 1 if event.turns_at == step.name and len(step.emits) > 1 else 0
        outcome = step.emits[index]
        assert issubclass(outcome, Fact)
        return outcome(key=event.key, run=event.run, turns_at=event.turns_at)

    return handle


def undo(event: Fact, context: Context) -> str:
    """Every compensation."""
    return f"undone {event.event_type}"


def shape(saga: Saga, runs_a_key: int = 1) -> Shape:
    """A shape of this saga."""
    return Shape(saga, tuple(service(saga, step) for step in saga.steps), runs_a_key)


def service(saga: Saga, step: Step) -> Service:
    """The service of one step."""
    undoing: Mapping[str, Handler] = {step.name: undo} if step.compensates else {}
    return Service(f"{saga.name}-{step.name}", saga, {step.name: handler(step)}, compensations=undoing)


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


def _chain() -> Shape:
    start, a, b, c, d = (fact(f"chn.{what}") for what in ("started", "a", "b", "c", "d"))
    steps = (
        step("chn1", start, a, compensates=True),
        step("chn2", a, b, compensates=True, deadline=seconds(40)),
        step("chn3", b, c, compensates=True, on_cancel=OnCancel.INTERRUPT),
        step("chn4", c, d),
    )
    return shape(_saga("chn", start, steps, {d: COMPLETED}, OnFailure.COMPENSATE))


def _choice() -> Shape:
    start, paid, declined, kept, missing, sent = (
        fact(f"cho.{what}") for what in ("started", "paid", "declined", "kept", "missing", "sent")
    )
    steps = (
        step("cho1", start, paid, declined, compensates=True, deadline=seconds(60)),
        step("cho2", paid, kept, missing, compensates=True),
        step("cho3", kept, sent, compensates=True),
    )
    ends: dict[type[Event], EndStatus] = {declined: FAILED, missing: FAILED, sent: COMPLETED}
    return shape(_saga("cho", start, steps, ends, OnFailure.COMPENSATE))


def _fork() -> Shape:
    start, split, left, right, end = (fact(f"frk.{what}") for what in ("started", "split", "left", "right", "end"))
    steps = (
        step("frk1", start, split, compensates=True),
        step("frk2", split, left, compensates=True),
        step("frk3", split, right, compensates=True, deadline=seconds(45)),
        step("frk4", right, end),
    )
    return shape(_saga("frk", start, steps, {left: COMPLETED, end: COMPLETED}, OnFailure.COMPENSATE))


def _patient() -> Shape:
    start, a, b, c = (fact(f"pat.{what}") for what in ("started", "a", "b", "c"))
    steps = (
        step("pat1", start, a, compensates=True),
        step("pat2", a, b, compensates=True, deadline=seconds(30)),
        step("pat3", b, c, on_cancel=OnCancel.INTERRUPT),
    )
    return shape(_saga("pat", start, steps, {c: COMPLETED}, OnFailure.INCIDENT, deadline=minutes(10)))


def _superseding() -> Shape:
    start, a, b, c = (fact(f"sup.{what}") for what in ("started", "a", "b", "c"))
    steps = (
        step("sup1", start, a),
        step("sup2", a, b, compensates=True, on_cancel=OnCancel.INTERRUPT),
        step("sup3", b, c, compensates=True),
    )
    return shape(_saga("sup", start, steps, {c: COMPLETED}, OnFailure.COMPENSATE, OnConflict.SUPERSEDE), runs_a_key=2)


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


SHAPES: Mapping[str, Shape] = {
    shape.saga.name: shape for shape in (_chain(), _choice(), _fork(), _patient(), _superseding())
}
