"""The invariants of docs/architecture.md 7, and those that came later: each a function that complains in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.complaints import Complaint, Complaints
from tests.simulation.counting import (
    Owners,
    a_killer_is_given_up_at_three,
    by_products_come_with_their_outcome,
    dead_letters_keep_what_cannot_be_read,
    keyed_state_counts,
    states_lie_where_they_belong,
)
from tests.simulation.deliveries import (
    attempts_are_one_at_a_time_and_counted,
    every_delivery_ends_once,
    every_event_goes_back_to_the_start,
    outcomes_are_seen_once,
)
from tests.simulation.endings import (
    every_saga_ends_or_waits_for_somebody,
    no_deadline_fires_after_its_outcome,
    no_saga_ends_twice_in_an_epoch,
    nothing_starts_after_paused,
    untracked_sagas_end,
    what_failed_is_undone_once_and_in_order,
)
from tests.simulation.faults import Away
from tests.simulation.gates import (
    control_is_followed,
    nothing_runs_on_what_is_undone,
    nothing_starts_that_is_cancelled,
    nothing_starts_that_is_paused_here,
    older_epochs_are_skipped,
    what_is_cancelled_is_interrupted,
)
from tests.simulation.handlers import Called, Sight
from tests.simulation.history import History
from tests.simulation.rulings import a_ruling_knows_all_that_lies_before_it
from tests.simulation.world import World

ALWAYS: Sequence[Callable[[History], Complaints]] = (
    attempts_are_one_at_a_time_and_counted,
    outcomes_are_seen_once,
    every_event_goes_back_to_the_start,
    every_delivery_ends_once,
)
TRACKED: Sequence[Callable[[History], Complaints]] = (
    every_saga_ends_or_waits_for_somebody,
    no_saga_ends_twice_in_an_epoch,
    what_failed_is_undone_once_and_in_order,
    no_deadline_fires_after_its_outcome,
    a_ruling_knows_all_that_lies_before_it,
    states_lie_where_they_belong,
)
CALLS: Sequence[Callable[[History, Sequence[Called]], Complaints]] = (
    nothing_starts_after_paused,
    nothing_starts_that_is_cancelled,
    nothing_starts_that_is_paused_here,
    older_epochs_are_skipped,
    nothing_runs_on_what_is_undone,
)


def complaints(log: History, calls: Sequence[Called], sights: Sequence[Sight], *, tracked: bool) -> list[Complaint]:
    """Everything that is not as it must be, of what the log and the calls of handlers tell."""
    found = [complaint for check in ALWAYS for complaint in check(log)]
    if not tracked:
        return [*found, *untracked_sagas_end(log)]
    found += [complaint for check in TRACKED for complaint in check(log)]
    found += [complaint for check in CALLS for complaint in check(log, calls)]
    return [*found, *control_is_followed(log, sights)]


def complaints_of(world: World, log: History) -> list[Complaint]:
    """Everything that is not as it must be in a simulated run."""
    found = complaints(log, world.calls, world.sights, tracked=not world.plan.is_untracked)
    owners = owners_of(world)
    found += by_products_come_with_their_outcome(log)
    outages = sum(isinstance(fault, Away) for fault in world.plan.faults)
    found += [*keyed_state_counts(log, owners), *a_killer_is_given_up_at_three(log, world.calls, world.losses, outages)]
    found += dead_letters_keep_what_cannot_be_read(log, owners)
    return [*found, *what_is_cancelled_is_interrupted(log, world.ends)]


def owners_of(world: World) -> Owners:
    """Which service has which step, in any version."""
    shapes = [*world.shapes, *([world.shape.newer] if world.plan.is_deployed else ())]
    services = [service for shape in shapes for service in shape.services]
    steps = [(step, service.name) for service in services for step in service.announcement.steps]
    owned = {(step.definition, step.step): service for step, service in steps}
    return Owners(owned, frozenset(service.name for service in services if service.stateful))
