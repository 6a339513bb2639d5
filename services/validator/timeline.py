"""Runs the stages one after the other and writes down how each ended and how long it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.events.code_review import Stage, StageStatus
from services.validator.rejection import RejectionError

T = TypeVar("T")

STAGES = ("validate_new_commits", "resolve_config", "validate_config", "fetch_changed_files")


@dataclass(frozen=True, slots=True)
class Passed(Generic[T]):
    """What a stage found that does not reject, and a note for people."""

    value: T
    note: str | None = None


class Timeline:
    """The stages of one validation; `clock` gives seconds from any fixed point."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stages: list[Stage] = []

    def run(self, name: str, stage: Callable[[], Passed[T]]) -> T:
        """Run one stage and give what it found. A rejection is written down and raised again."""
        begun = self._clock()
        try:
            passed = stage()
        except RejectionError as rejection:
            self._add(name, StageStatus.REJECTED, begun, rejection.reason)
            raise
        self._add(name, StageStatus.PASSED, begun, passed.note)
        return passed.value

    def stages(self) -> tuple[Stage, ...]:
        """All stages in their order; those that never ran are skipped."""
        ran = {stage.name: stage for stage in self._stages}
        return tuple(ran.get(name, Stage(name=name, status=StageStatus.SKIPPED, duration_ms=0)) for name in STAGES)

    def _add(self, name: str, status: StageStatus, begun: float, note: str | None) -> None:
        duration = max(0.0, self._clock() - begun) * 1000
        self._stages.append(Stage(name=name, status=status, duration_ms=round(duration, 3), note=note))
