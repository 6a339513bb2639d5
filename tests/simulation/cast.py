"""Who takes part in a run, as the faults of a seed are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.simulation.shapes import Shape

TURNS = 240
"""Turns of single processes during which faults happen; after them everything comes to rest."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in a run: the shapes of its definitions, sagas of each, processes of services, and trackers."""

    shapes: tuple[Shape, ...]
    sagas: int
    trackers: int

    @property
    def workers(self) -> int:
        return 2 * sum(len(shape.services) for shape in self.shapes)

    @property
    def processes(self) -> int:
        return self.workers + self.trackers

    def step(self, rng: Random, definition: int) -> int:
        """Any step of a definition."""
        return rng.randrange(len(self.shapes[definition].saga.steps))

    def definition(self, rng: Random) -> int:
        """Any definition."""
        return rng.randrange(len(self.shapes))

    def turning(self, definition: int) -> int:
        """The step at which sagas of a definition may turn; -1 if there is none."""
        found = self.shapes[definition]
        turning = found.drawing.turning if found.drawing is not None else ""
        names = [step.name for step in found.saga.steps]
        return names.index(turning) if turning else -1
