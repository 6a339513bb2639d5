"""What the fold needs of a definition, looked up by what an event carries. Made once per definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from kafka_saga.definition.model import EndStatus, Saga, Step
from kafka_saga.tracker.core.state import StepState, StepStatus

REFERENCES_LAST = 30 * 24 * 3600 * 1000
"""Milliseconds that events stay on the log (`kafka_saga.definition.topics.EVENT_RETENTION`)."""

WARN_BEFORE = 24 * 3600 * 1000
"""Milliseconds before a reference goes that an incident is raised."""

MANY_EVENTS = 1_000
"""Events kept of a saga (what may have to be undone is never forgotten) at which an incident is raised.

A state is one record of at most 1 MB: that is some 3,900 events, or 1,500 outcomes with what it takes to undo them.
"""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step: what triggers it, what ends it, what follows it, and how it looks before it has run, or never will."""

    name: str
    trigger: str
    outcomes: frozenset[str]
    declared: frozenset[str]
    compensated: str | None
    downstream: frozenset[str]
    step: Step
    deadline: int | None
    waiting: StepState
    skipped: StepState


@dataclass(frozen=True, slots=True)
class SagaPlan:
    """A definition, from the core's point of view.

    Times are milliseconds; `only_deadline` is the saga's, if nothing else can become due before it while steps run.
    """

    definition: Saga
    start: str
    steps: Mapping[str, StepPlan]
    triggered: Mapping[str, tuple[str, ...]]
    ends: Mapping[str, EndStatus]
    deadline: int | None
    keep_finished: int
    only_deadline: int | None
    is_known: bool = True


@lru_cache(maxsize=256)
def saga_plan(definition: Saga) -> SagaPlan:
    """The saga plan of a definition."""
    steps = {
        step.name: StepPlan(
            step.name,
            step.on.event_type,
            frozenset(event.event_type for event in step.emits),
            frozenset((*(event.event_type for event in (*step.emits, *step.also)), *_undone(step))),
            step.compensated_type if step.compensates else None,
            _downstream(step, definition),
            step,
            milliseconds(step.deadline),
            StepState(step.name),
            StepState(step.name, StepStatus.SKIPPED),
        )
        for step in definition.steps
    }
    triggered = {event: tuple(step.name for step in listening) for event, listening in definition.triggered_by.items()}
    return _outline(definition, definition.starts_on.event_type, steps, triggered, definition.ends_by_type)


@lru_cache(maxsize=256)
def unknown_version(definition: Saga) -> SagaPlan:
    """The saga plan for a saga of another version than those that are known: facts are kept, nothing is concluded."""
    return replace(saga_plan(definition), is_known=False)


@lru_cache(maxsize=16)
def nothing(definition: Saga) -> SagaPlan:
    """The saga plan for a saga of which nothing but a command is known; `definition` says how long that is kept."""
    return replace(_outline(definition, "", {}, {}, {}), is_known=False)


def milliseconds(length: timedelta | None) -> int | None:
    """A duration as the core counts it."""
    return None if length is None else round(length.total_seconds() * 1000)


def _outline(
    definition: Saga,
    start: str,
    steps: Mapping[str, StepPlan],
    triggered: Mapping[str, tuple[str, ...]],
    ends: Mapping[str, EndStatus],
) -> SagaPlan:
    deadline, kept = milliseconds(definition.deadline), milliseconds(definition.keep_finished) or 0
    is_only = deadline is not None and deadline < REFERENCES_LAST - WARN_BEFORE
    only = deadline if is_only and all(step.deadline is None for step in steps.values()) else None
    return SagaPlan(definition, start, steps, triggered, ends, deadline, kept, only)


def _undone(step: Step) -> tuple[str, ...]:
    return (step.compensated_type,) if step.compensates else ()


def _downstream(step: Step, definition: Saga) -> frozenset[str]:
    """The step and every step that its events can lead to."""
    found: set[str] = set()
    ahead = [step]
    while ahead:
        one = ahead.pop()
        if one.name not in found:
            found.add(one.name)
            ahead += [then for event in (*one.emits, *one.also) for then in definition.triggered_by[event.event_type]]
    return frozenset(found)
