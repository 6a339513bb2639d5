"""What the API answers from: the tables, Kafka, the blob store, and the definitions that are known here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from services.chassis.blobs import BlobStore
from services.chassis.port import Cluster
from services.inspection.groups import Groups
from services.inspection.lag import AtStep
from services.inspection.times import now
from services.tracker.core.outline import Outline, outline
from services.tracker.core.state import SagaState
from services.views.api.fresh import Fresh
from services.views.api.titles import Titles
from services.views.port import Tables
from topology.model import Saga

P = ParamSpec("P")
T = TypeVar("T")


def _nothing_said() -> Mapping[str, Sequence[str]]:
    """Where no supervisor knows the services, nothing is known of what they say of themselves."""
    return {}


@dataclass(frozen=True)
class Sources:
    """`cluster` and `groups` make connections; their calls block, and run in threads.

    `token`: what writing requests have to bring, none if nothing. `kafka`: the brokers, as clients would name them.
    `said` is what services say of themselves, by name.
    """

    tables: Tables
    cluster: Callable[[], Cluster]
    groups: Callable[[], Groups]
    blobs: BlobStore
    definitions: Sequence[Saga]
    token: str | None = None
    kafka: str = ""
    said: Callable[[], Mapping[str, Sequence[str]]] = _nothing_said
    clock: Callable[[], int] = now
    titles: Titles = field(default_factory=Titles)
    lags: Fresh[Mapping[str, Mapping[str, AtStep]]] = field(default_factory=lambda: Fresh(2.0))
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    def definition_of(self, state: SagaState) -> Saga | None:
        """The definition that a saga follows, in its version; none if that is not known here."""
        wanted = (state.definition, state.version)
        return next((saga for saga in self.definitions if (saga.name, saga.version) == wanted), None)

    def plan_of(self, state: SagaState) -> Outline | None:
        """The outline of its definition, as the tracker has it."""
        found = self.definition_of(state)
        return None if found is None else outline(found)

    async def blocking(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run what blocks in a thread; a bounded number at once, so that a slow Kafka does not take all threads."""
        async with self._slots:
            return await asyncio.to_thread(call, *given, **named)


def latest_versions(definitions: Iterable[Saga]) -> tuple[Saga, ...]:
    """Of each definition the latest version, by name."""
    latest = {saga.name: saga for saga in sorted(definitions, key=lambda saga: saga.version)}
    return tuple(latest[name] for name in sorted(latest))
