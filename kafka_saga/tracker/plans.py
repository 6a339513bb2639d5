"""The definitions that a tracker knows, by name and version, as the outlines that the core works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from kafka_saga.definition.lint import check_all
from kafka_saga.definition.model import OnConflict, Saga, latest_versions
from kafka_saga.errors import TopologyError
from kafka_saga.tracker.core.facts import CommandFact, Fact, SupersederFact
from kafka_saga.tracker.core.plan import SagaPlan, nothing, saga_plan, unknown_version
from kafka_saga.tracker.core.state import SagaState, SagaStatus


@lru_cache(maxsize=64)
def _check(definitions: tuple[Saga, ...]) -> None:
    """As `check_all`; a process of many trackers, as in tests, checks the same definitions once."""
    check_all(definitions)


class Brief(Protocol):
    """What a state says of its definition."""

    @property
    def definition(self) -> str: ...  # noqa: D102  # the name says it
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def status(self) -> SagaStatus: ...  # noqa: D102


class Plans:
    """Raises TopologyError if the definitions do not go together."""

    def __init__(self, definitions: Sequence[Saga]) -> None:
        latest = latest_versions(definitions)
        _check(tuple(latest.values()))
        self._latest = latest
        self.names = frozenset(latest)
        self._known = {(saga.name, saga.version): saga_plan(saga) for saga in definitions}
        self._nothing = nothing(definitions[0])
        self.exclusive = frozenset(s.name for s in definitions if s.on_conflict is OnConflict.SUPERSEDE)
        events = dict.fromkeys(event for saga in definitions for event in saga.events)
        undone = dict.fromkeys(step.compensated_type for saga in definitions for step in saga.steps if step.compensates)
        self.inputs = (*events, *undone)

    def has(self, definition: str) -> bool:
        """Whether any version of the definition is known."""
        return definition in self._latest

    def knows(self, definition: str, version: int) -> bool:
        """Whether this version is known."""
        return (definition, version) in self._known

    def plan_of(self, state: SagaState) -> SagaPlan:
        """The saga plan that a saga follows."""
        return self._plan(state.definition, state.version) if state.definition else self._nothing

    def plan_for(self, state: SagaState | None, fact: Fact) -> SagaPlan:
        """The saga plan that a fact is to be folded with."""
        if state is not None and state.definition:
            return self._plan(state.definition, state.version)
        if isinstance(fact, CommandFact | SupersederFact):
            return self._nothing
        return self._plan(fact.envelope.definition, fact.envelope.version)

    def refuse_dropped(self, sagas: Iterable[Brief]) -> None:
        """Raises TopologyError if live sagas follow an older version of a definition than any that is known."""
        live = Counter((saga.definition, saga.version) for saga in sagas if not saga.status.is_final)
        for (name, version), count in sorted(live.items()):
            known = [number for other, number in self._known if other == name]
            if known and version and version < min(known):
                raise TopologyError(
                    f"{count} saga{'s' if count > 1 else ''} of {name} v{version} still run in this partition, and "
                    f"this tracker knows only v{min(known)} and later. Keep v{version} in SAGA_DEFINITIONS until they "
                    f"have ended (`saga ls --definition {name}` lists them)."
                )

    def _plan(self, definition: str, version: int) -> SagaPlan:
        known = self._known.get((definition, version))
        if known is not None:
            return known
        latest = self._latest.get(definition)
        return unknown_version(latest) if latest is not None else self._nothing
