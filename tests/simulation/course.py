"""How far a run has come: whose turn it is, what is to happen at later turns, and notes of what has happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from kafka_saga.broker.clock import VirtualClock

Action = Callable[[], None]


class Course:
    """The turns of one run; `current` is the process whose turn it is."""

    def __init__(self, clock: VirtualClock) -> None:
        self.current: str | None = None
        self.notes: list[str] = []
        self._clock = clock
        self._turn = 0
        self._later: dict[int, list[Action]] = defaultdict(list)

    def note(self, text: str) -> None:
        """Keep what happened, for people."""
        self.notes.append(f"{self._turn:4} {self._clock.monotonic():9.3f}s {self.current or '-':12} {text}")

    def at(self, turn: int, action: Action) -> None:
        """Let this happen at a turn."""
        self._later[turn].append(action)

    def after(self, turns: int, action: Action) -> None:
        """Let this happen so many turns from now; at once, if that is now."""
        if turns > 0:
            self.at(self._turn + turns, action)
        else:
            action()

    def next(self) -> None:
        """The next turn begins, with what was to happen at it."""
        self._turn += 1
        for action in self._later.pop(self._turn, ()):
            action()

    def finish(self) -> None:
        """What is due later happens now."""
        for turn in sorted(self._later):
            for action in self._later.pop(turn):
                action()
