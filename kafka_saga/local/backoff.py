"""How long a service that ended waits until it is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: `first`, then `factor` times longer after each failure, `longest` at most.

    A service that ran for `steady` seconds has proven itself: its next failure counts as the first one.
    """

    first: float = 0.5
    factor: float = 2.0
    longest: float = 30.0
    steady: float = 30.0

    def count(self, failures: int, ran: float) -> int:
        """How many failures in a row there are, now that it ended after running for `ran` seconds."""
        return 1 if ran >= self.steady else failures + 1

    def delay(self, failures: int) -> float:
        """The wait after so many failures in a row."""
        growth = self.factor ** min(failures - 1, 64)
        return min(self.longest, self.first * growth) if failures > 0 else 0.0
