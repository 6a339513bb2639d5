"""What the API answers from: the tables, Kafka, the blob store, and the definitions that are known here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from kafka_saga.api.topology import PausedScope
from kafka_saga.broker.port import Cluster
from kafka_saga.definition.model import Saga
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.errors import UnavailableError
from kafka_saga.inspection.diagnose.held import Holds
from kafka_saga.inspection.diagnose.lag import AtStep
from kafka_saga.inspection.log.clients import Clients
from kafka_saga.inspection.log.deployed import Deployed, Deployments
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.inspection.log.times import now
from kafka_saga.tracker.core.plan import SagaPlan, saga_plan
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.http_api.cache import Cached
from kafka_saga.views.http_api.idempotency import IdempotencyKeys
from kafka_saga.views.http_api.titles import Titles
from kafka_saga.views.port import Tables

AT_ONCE = 1.0
"""Seconds within which Kafka has answered, if only to refuse."""

P = ParamSpec("P")
T = TypeVar("T")


def _nothing_to_renew() -> None:
    """Where no client is kept, none has to be replaced."""


def _nothing_said() -> Mapping[str, Sequence[str]]:
    """Where no supervisor knows the services, nothing is known of what they say of themselves."""
    return {}


@dataclass(frozen=True)
class Dependencies:
    """`cluster` and `groups` make connections; their calls block, and run in threads.

    `token`: what writing requests have to bring, none if nothing. `kafka`: the brokers, as clients would name them.
    `said` is what services say of themselves, by name. `definitions` are those that Python names: their events can be
    decoded; `deployments` tells of the others, and of services.
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
    holds: Holds = field(default_factory=Holds)
    lags: Cached[Mapping[str, Mapping[str, AtStep]]] = field(default_factory=lambda: Cached(2.0, longest=10.0))
    held: Cached[tuple[PausedScope, ...]] = field(default_factory=lambda: Cached(0.5))
    keys: IdempotencyKeys = field(default_factory=IdempotencyKeys)
    renew: Callable[[], None] = _nothing_to_renew
    deployments: Deployments = field(default_factory=Deployments)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    @property
    def deployed(self) -> Deployed:
        """What is known of definitions and services, as the last look at the log found it."""
        return self.deployments.known.beside(self.definitions)

    def look_at_deployed(self) -> Deployed:
        """What is known of definitions and services now. Blocks; raises UnavailableError."""
        return self.deployments.look(self.cluster()).beside(self.definitions)

    def definition_of(self, state: SagaState) -> Saga | None:
        """The definition that a saga follows, in its version; none if that is not known here."""
        return self.deployed.definition(state.definition, state.version)

    def plan_of(self, state: SagaState) -> SagaPlan | None:
        """The saga plan of its definition, as the tracker has it."""
        found = self.definition_of(state)
        return None if found is None else saga_plan(found)

    async def blocking(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Run what blocks in a thread; a bounded number at once, so that a slow Kafka does not take all threads.

        Clients with which Kafka did not answer are given up.
        """
        async with self._slots:
            try:
                return await asyncio.to_thread(call, *given, **named)
            except UnavailableError:
                await asyncio.to_thread(self.renew)
                raise

    async def reading(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """As `blocking`, of what only reads: refused at once, it is asked once more, with new clients.

        Kept ones may know the cluster as it was. If Kafka does not answer at all, that has taken its time.
        """
        began = time.monotonic()
        try:
            return await self.blocking(call, *given, **named)
        except UnavailableError:
            if time.monotonic() - began > AT_ONCE:
                raise
        return await self.blocking(call, *given, **named)

    def with_kept_clients(self) -> Dependencies:
        """The same, asking with clients that are kept from one question to the next."""
        clients = Clients(self.cluster, self.groups)
        return replace(self, cluster=lambda: clients, groups=clients.groups, renew=clients.renew)
