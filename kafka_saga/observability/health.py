"""Whether a service is alive, and whether it works on its records, with the reasons if not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kafka_saga.engine.runner import Runner

STALLED = 60.0
"""Seconds without a turn of the loop after which a service is no longer alive."""


@dataclass(slots=True)
class Health:
    """What the loop leaves behind for others to look at; written by one thread, read by another."""

    service: str
    turned_at: float = 0.0
    reasons: tuple[str, ...] = ("starting",)
    now: Callable[[], float] = field(default=time.monotonic)

    def note(self, runner: Runner) -> None:
        """The loop has gone round."""
        self.turned_at = self.now()
        self.reasons = why_not_ready(runner)

    @property
    def is_alive(self) -> bool:
        """Whether the loop goes round."""
        return self.turned_at == 0.0 or self.now() - self.turned_at < STALLED


def why_not_ready(runner: Runner) -> tuple[str, ...]:
    """What keeps a service from working on some of its records, as sentences; empty if nothing does."""
    if not runner.is_member:
        return ("no partitions yet: the group is rebalancing",)
    reasons = [
        f"{at.topic}[{at.partition}] stands still: most of its last records could not be decoded; "
        "mend the producer, then `saga dlq continue` this service, or restart it"
        for at in runner.quarantined()
    ]
    reasons += [f"partition {number} waits: other topics of it lie elsewhere" for number in runner.incomplete()]
    reasons += [f"partition {task.number} waits: its state is being restored" for task in runner.restoring()]
    return tuple(reasons)
