"""Shapes that a number decides: chains, decisions, forks, diamonds and loops, with everything that steps may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from kafka_saga.definition.durations import days, minutes, seconds
from kafka_saga.definition.model import COMPLETED, EndStatus, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.events.event import Event
from tests.simulation.definitions.facts import Pool
from tests.simulation.definitions.wiring import Wiring, chain, decision, diamond, fork, loop

KINDS: Mapping[str, Callable[[Random, Pool], Wiring]] = {
    "chain": chain,
    "decision": decision,
    "fork": fork,
    "diamond": diamond,
    "loop": loop,
}


@dataclass(frozen=True)
class Drawing:
    """What was drawn: the definition, which steps each service has, and which services (by first step) keep state."""

    name: str
    saga: Saga
    groups: tuple[tuple[str, ...], ...]
    stateful: frozenset[str]
    runs_a_key: int
    turning: str
    """The step at which sagas may turn: that of a decision or a loop; empty if there is none."""


def drawing(name: str, definition: str = "") -> Drawing:
    """What a name such as `loop-8312` stands for; always the same."""
    kind, _, _ = name.partition("-")
    rng, pool = Random(name), Pool(definition or kind)
    wiring = KINDS[kind](rng, pool)
    steps = tuple(_step(rng, pool, wired) for wired in wiring.steps)
    is_exclusive = rng.random() < 0.2
    runs_a_key = 2 if is_exclusive or rng.random() < 0.25 else 1
    saga = Saga(
        name=pool.definition,
        version=1,
        starts_on=pool.start,
        key="{key}",
        run="{run}",
        steps=steps,
        ends=wiring.ends,
        deadline=rng.choice((None, None, seconds(90), minutes(10))),
        on_failure=_on_failure(rng, steps),
        on_conflict=OnConflict.SUPERSEDE if is_exclusive else OnConflict.ALLOW,
        settle_timeout=seconds(8),
        keep_finished=minutes(3) if rng.random() < 0.12 else days(7),
    )
    groups = _groups(rng, steps)
    stateful = frozenset(group[0] for group in groups if rng.random() < 0.5) if rng.random() < 0.3 else frozenset[str]()
    return Drawing(name, saga, groups, stateful, runs_a_key, wiring.turning)


def newer(drawn: Drawing) -> Drawing:
    """Version 2: some steps have other bounds or compensate otherwise, and there may be one more at the end."""
    rng, saga = Random(f"{drawn.name}/2"), drawn.saga
    steps = tuple(_changed(rng, step) if rng.random() < 0.6 else step for step in saga.steps)
    ends, groups = dict(saga.ends), drawn.groups
    last = next((event for event, status in ends.items() if status is COMPLETED), None)
    if last is not None and rng.random() < 0.5:
        steps, ends, groups = _longer(rng, drawn, steps, ends, last)
    return replace(drawn, saga=_sound(replace(saga, version=2, steps=steps, ends=ends)), groups=groups)


def _longer(
    rng: Random, drawn: Drawing, steps: tuple[Step, ...], ends: dict[type[Event], EndStatus], last: type[Event]
) -> tuple[tuple[Step, ...], dict[type[Event], EndStatus], tuple[tuple[str, ...], ...]]:
    """One step more, after an event that has ended sagas so far."""
    pool = Pool(drawn.saga.name)
    fresh = next(event for event in iter(pool.event, None) if event.event_type not in drawn.saga.events)
    step = _changed(rng, Step(f"{drawn.saga.name}{len(steps) + 1}", on=last, emits=(fresh,), timeout=seconds(20)))
    left = {event: status for event, status in ends.items() if event is not last}
    return (*steps, step), {**left, fresh: COMPLETED}, (*drawn.groups, (step.name,))


def _sound(saga: Saga) -> Saga:
    """What says that it compensates has to have a step that does."""
    if saga.on_failure is OnFailure.COMPENSATE and not any(step.compensates for step in saga.steps):
        return replace(saga, steps=(replace(saga.steps[0], compensates=True), *saga.steps[1:]))
    return saga


def _step(rng: Random, pool: Pool, wired: Step) -> Step:
    also = (pool.note(),) if rng.random() < 0.2 else ()
    on_cancel = OnCancel.INTERRUPT if rng.random() < 0.45 else OnCancel.FINISH
    return _changed(rng, replace(wired, also=also, on_cancel=on_cancel))


def _changed(rng: Random, step: Step) -> Step:
    """The step with other bounds, and another word on compensation."""
    deadline = _deadline(rng)
    return replace(
        step,
        compensates=rng.random() < 0.6,
        deadline=deadline,
        timeout=seconds(60 if deadline is None and rng.random() < 0.3 else 20),
        retry=_retry(rng),
        compensation_retry=_retry(rng),
    )


def _deadline(rng: Random) -> timedelta | None:
    return seconds(rng.randrange(20, 61)) if rng.random() < 0.3 else None


def _retry(rng: Random) -> Retry:
    return Retry(attempts=rng.randrange(2, 5), first=seconds(rng.choice((1, 1.5, 2))), max_delay=seconds(5))


def _on_failure(rng: Random, steps: Sequence[Step]) -> OnFailure:
    can = any(step.compensates for step in steps)
    return OnFailure.COMPENSATE if can and rng.random() < 0.7 else OnFailure.INCIDENT


def _groups(rng: Random, steps: Sequence[Step]) -> tuple[tuple[str, ...], ...]:
    """The steps by service: mostly one each; no two of a service consume the same event type."""
    if rng.random() < 0.65:
        return tuple((step.name,) for step in steps)
    groups: list[list[Step]] = []
    for step in steps:
        fitting = [group for group in groups if all(other.on is not step.on for other in group)]
        if fitting and rng.random() < 0.6:
            rng.choice(fitting).append(step)
        else:
            groups.append([step])
    return tuple(tuple(step.name for step in group) for group in groups)
