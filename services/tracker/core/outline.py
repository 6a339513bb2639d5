"""What the fold needs of a definition, looked up by what an event carries. Made once per definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from services.tracker.core.state import StepState, StepStatus
from topology.model import EndStatus, Saga


@dataclass(frozen=True, slots=True)
class StepOutline:
    """One step: what triggers it, what ends it, and how it looks before it has run, or never will."""

    name: str
    trigger: str
    outcomes: frozenset[str]
    declared: frozenset[str]
    waiting: StepState
    skipped: StepState


@dataclass(frozen=True, slots=True)
class Outline:
    """A definition, from the fold's point of view."""

    definition: Saga
    start: str
    steps: Mapping[str, StepOutline]
    triggered: Mapping[str, tuple[str, ...]]
    ends: Mapping[str, EndStatus]


@lru_cache(maxsize=256)
def outline(definition: Saga) -> Outline:
    """The outline of a definition."""
    steps = {
        step.name: StepOutline(
            step.name,
            step.on.event_type,
            frozenset(event.event_type for event in step.emits),
            frozenset(event.event_type for event in (*step.emits, *step.also)),
            StepState(step.name),
            StepState(step.name, StepStatus.SKIPPED),
        )
        for step in definition.steps
    }
    triggered = {event: tuple(step.name for step in listening) for event, listening in definition.triggered_by.items()}
    return Outline(definition, definition.starts_on.event_type, steps, triggered, definition.ends_by_type)
