"""The invariants of DESIGN 7, each a function of its own that reads the log and complains in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.deliveries import (
    attempts_are_one_at_a_time_and_counted,
    every_delivery_ends_once,
    every_event_goes_back_to_the_start,
    outcomes_are_seen_once,
)
from tests.simulation.endings import (
    every_saga_ends_or_waits_for_somebody,
    no_deadline_fires_after_its_outcome,
    nothing_starts_after_paused,
    untracked_sagas_end,
    what_failed_is_undone_once_and_in_order,
)
from tests.simulation.gates import control_is_followed, nothing_starts_that_is_cancelled
from tests.simulation.handlers import Called, Sight
from tests.simulation.history import Complaints, History

ALWAYS: Sequence[Callable[[History], Complaints]] = (
    attempts_are_one_at_a_time_and_counted,
    outcomes_are_seen_once,
    every_event_goes_back_to_the_start,
    every_delivery_ends_once,
)
TRACKED: Sequence[Callable[[History], Complaints]] = (
    every_saga_ends_or_waits_for_somebody,
    what_failed_is_undone_once_and_in_order,
    no_deadline_fires_after_its_outcome,
)


def complaints(log: History, calls: Sequence[Called], sights: Sequence[Sight], *, tracked: bool) -> list[str]:
    """Everything that is not as it must be, each with the invariant's name."""
    found = [(check.__name__, text) for check in ALWAYS for text in check(log)]
    if tracked:
        found += [(check.__name__, text) for check in TRACKED for text in check(log)]
        for check_calls in (nothing_starts_after_paused, nothing_starts_that_is_cancelled):
            found += [(check_calls.__name__, text) for text in check_calls(log, calls)]
        found += [(control_is_followed.__name__, text) for text in control_is_followed(log, sights)]
    else:
        found += [(untracked_sagas_end.__name__, text) for text in untracked_sagas_end(log)]
    return [f"{name}: {text}" for name, text in found]
