"""What in a run leads to a known finding: the sagas that it happens to, told from the plan and the log alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from kafka_saga.definition.model import OnConflict
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import DeadlinePassed, SagaUndoing
from kafka_saga.wire.control import PREFIX
from tests.simulation.faults import Mass, Stray
from tests.simulation.history import History
from tests.simulation.plan import Plan
from tests.simulation.seen import GIVEN, SagaName, Seen

Names = frozenset[SagaName]

ADDED_WITHIN = 30_000
"""Milliseconds within which all trackers are there again that were told of another definition."""


@dataclass(frozen=True)
class Evidence:
    """One run; `added_at` is when trackers were told of another definition, `None` if they were not."""

    plan: Plan
    log: History
    added_at: int | None

    @cached_property
    def all(self) -> Names:
        """Every saga that was started."""
        return frozenset(self.log.sagas)

    def has_stray(self, kind: str) -> bool:
        """Whether a stray of this kind was planned."""
        return any(isinstance(fault, Stray) and fault.kind == kind for fault in self.plan.faults)

    @property
    def has_masses(self) -> bool:
        """Whether commands were given in masses."""
        return any(isinstance(fault, Mass) for fault in self.plan.faults)

    @cached_property
    def with_one_id(self) -> Names:
        """Sagas of several definitions that have the same id, and those of the same keys that supersede one another."""
        ids = [name.id for name in self.log.sagas]
        found = {name for name in self.log.sagas if ids.count(name.id) > 1}
        return frozenset(found | {other for name in found for other in self._of_key(name)})

    @cached_property
    def started_under_another_id(self) -> Names:
        """Sagas of which somebody else has published a normalised start under an id of their own."""
        return frozenset(seen.name for seen in self.log.starts if self.log.is_other(seen))

    @cached_property
    def begun_again(self) -> Names:
        """Sagas that were started again after they had been forgotten, and those that such a phantom supersedes."""
        gone: dict[str, int] = {}
        for seen in self.log.of(SAGA_STATE):
            if seen.value is None:
                gone.setdefault((seen.key or b"").decode(), seen.written_at)
        again = {seen.name for seen in self.log.starts if seen.written_at > gone.get(seen.saga, seen.written_at)}
        return frozenset(again | {other for name in again for other in self._of_key(name)})

    def _of_key(self, name: SagaName) -> Iterator[SagaName]:
        if self.log.saga_of(name).on_conflict is OnConflict.SUPERSEDE:
            yield from (one for one in self.log.sagas if one.definition == name.definition and one.key == name.key)

    @cached_property
    def misplaced(self) -> Names:
        """Sagas of which a record lies in a partition that is not its key's."""
        return frozenset(seen.name for seen in self.log.strays if seen.stray == "misplaced")

    @cached_property
    def told_of_by_others(self) -> Names:
        """Sagas of which somebody else has published an outcome that their definition declares."""
        return frozenset(
            seen.name for seen in self.log.strays if seen.stray == "undecodable" and self._is_declared(seen)
        )

    def _is_declared(self, seen: Seen) -> bool:
        step = self.log.step(seen.definition, seen.step)
        return step is not None and seen.type in step.emits

    @cached_property
    def in_a_partition_whose_clocks_are_apart(self) -> Names:
        """Sagas that anything was told of after clocks had begun to be apart in their partition, or nothing at all."""
        apart: dict[int, int] = {}
        for seen in (seen for records in self.log.records.values() for seen in records if seen.drift):
            apart[seen.partition] = min(seen.written_at, apart.get(seen.partition, seen.written_at))
        last = {told.seen.name: told.seen for told in self.log.told}
        late = {
            name for name, seen in last.items() if seen.written_at >= apart.get(seen.partition, seen.written_at + 1)
        }
        untold = (name for name in self.log.sagas if name not in last and self.log.partition(name) in apart)
        return frozenset(late.union(untold))

    @cached_property
    def begun_before_their_definition_was_known(self) -> Names:
        """Sagas of a definition that trackers were told of while these ran."""
        if self.added_at is None or not self.plan.is_added:
            return frozenset()
        latest = self.added_at + ADDED_WITHIN
        return frozenset(
            seen.name for seen in self.log.starts if seen.definition == "side" and seen.written_at < latest
        )

    @cached_property
    def brought_back(self) -> Names:
        """Sagas that a person has had go on from somewhere."""
        return frozenset(told.seen.name for told in self.log.told if _leads_to(told.event, "redo"))

    @cached_property
    def given_up_while_brought_back(self) -> Names:
        """Sagas that were given up after a person had had them go on from somewhere."""
        return frozenset(
            told.seen.name
            for told in self.log.told
            if told.seen.name in self.brought_back and _leads_to(told.event, "cancelled", "failed")
        )

    @cached_property
    def under_a_paused_prefix(self) -> Names:
        """Sagas whose key begins with a prefix that was paused."""
        scopes = {c.scope for _, c in self.log.commands if c.command is Act.PAUSE and c.scope.startswith(PREFIX)}
        prefixes = tuple(scope.removeprefix(PREFIX) for scope in scopes)
        return frozenset(name for name in self.log.sagas if prefixes and name.id.startswith(prefixes))

    @cached_property
    def forked(self) -> Names:
        """Sagas of which a deadline has passed of a step that is triggered with another by one event."""
        return frozenset(
            told.seen.name
            for told in self.log.told
            if isinstance(told.event, DeadlinePassed) and self._is_forked(told.seen, told.event.step)
        )

    def _is_forked(self, seen: Seen, step: str | None) -> bool:
        saga = self.log.saga_of(seen.name)
        found = saga.steps_by_name.get(step or "")
        return found is not None and len(saga.triggered_by[found.on.event_type]) > 1

    @cached_property
    def run_side_by_side(self) -> Names:
        """Sagas of which a step was triggered again before it had ended."""
        ended = {
            (seen.step, seen.cause): seen.written_at for step in self.log.steps for seen in self.log.outcomes(step)
        }
        triggers: dict[tuple[SagaName, str], list[Seen]] = defaultdict(list)
        for seen, *_ in self.log.by_id.values():
            for step in self.log.saga_of(seen.name).triggered_by.get(seen.type, ()):
                triggers[seen.name, step.name].append(seen)
        return frozenset(
            name
            for (name, step), found in triggers.items()
            for one, other in pairwise(sorted(found, key=lambda seen: seen.written_at))
            if ended.get((step, one.id), math.inf) > other.written_at
        )

    @cached_property
    def skipped(self) -> Names:
        """Sagas of which a step was given its outcome by a person."""
        return frozenset(seen.name for seen in self.log.events if seen.command == GIVEN)

    @cached_property
    def of_two_versions(self) -> Names:
        """Sagas that ran while services of another version of their definition did."""
        return self.all if self.plan.is_deployed else frozenset()


def _leads_to(event: object, *goals: str) -> bool:
    return isinstance(event, SagaUndoing) and event.goal in goals
