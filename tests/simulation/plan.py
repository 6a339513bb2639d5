"""One simulated run: a seed that decides who takes turns and what is read when, and the faults that happen."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.cast import TURNS
from tests.simulation.drawing import drawn_faults, drawn_shape
from tests.simulation.faults import (
    AddDefinition,
    Again,
    Away,
    Begin,
    Beside,
    Clock,
    Command,
    Crash,
    Deploy,
    Doubt,
    Fault,
    Foreign,
    Hold,
    Kill,
    Late,
    Leave,
    Mass,
    Refuse,
    SameIdOther,
    SlowMarkers,
    Stall,
    Static,
    Stray,
    Trouble,
)

__all__ = [
    "AddDefinition", "Again", "Away", "Begin", "Beside", "Clock", "Command", "Crash", "Deploy", "Doubt", "Fault",
    "Foreign", "Hold", "Kill", "Late", "Leave", "Mass", "Plan", "Refuse", "SameIdOther", "SlowMarkers", "Stall",
    "Static", "Stray", "Trouble", "plan_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: the seed decides who takes turns and what is read when, the rest is listed."""

    seed: int
    shape: str
    sagas: int
    faults: tuple[Fault, ...]
    trackers: int = 2
    turns: int = TURNS

    @property
    def is_untracked(self) -> bool:
        """Whether no tracker runs."""
        return self.trackers == 0

    @property
    def beside(self) -> Beside | None:
        """The second definition, if there is one."""
        return next((fault for fault in self.faults if isinstance(fault, Beside)), None)

    @property
    def is_deployed(self) -> bool:
        """Whether version 2 of the first definition comes."""
        return any(isinstance(fault, Deploy) for fault in self.faults)

    @property
    def is_added(self) -> bool:
        """Whether trackers learn of the second definition only later."""
        return self.beside is not None and any(isinstance(fault, AddDefinition) for fault in self.faults)

    @property
    def is_static(self) -> bool:
        """Whether all processes are static members."""
        return any(isinstance(fault, Static) for fault in self.faults)

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks that go wrong."""
        return tuple(fault for fault in self.faults if isinstance(fault, Clock))


def plan_of(seed: int, sagas: int = 5) -> Plan:
    """The plan of a seed."""
    name = drawn_shape(seed)
    trackers, faults = drawn_faults(seed, name, sagas)
    return Plan(seed, name, sagas, tuple(faults), trackers)
