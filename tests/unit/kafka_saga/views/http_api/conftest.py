"""A world with sagas that stand differently, and the API that answers about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.http_api.cache import Cached
from kafka_saga.views.http_api.dependencies import Dependencies
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.views.http_api.reviews import REVIEWS, blobs, pull_request, reviews
from tests.unit.kafka_saga.views.http_api.serving import Client, serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

TITLES = {1: "Sell hats", 2: "broken", 3: "busy", 4: "Sell shoes", 5: "nothing"}


@dataclass(frozen=True)
class World:
    """Sagas by number: 1 is completed, 2 waits for a person, 3 is retrying, 4 is paused, 5 was rejected."""

    test: SagaTest
    tables: MemoryTables
    client: Client
    ids: dict[int, str]

    def state(self, number: int) -> SagaState:
        return self.test.system.saga(self.ids[number])


def sources_of(test: SagaTest, tables: MemoryTables, token: str | None = None) -> Dependencies:
    system = test.system
    members = Members({"validator": 1, "ast": 1, "llm": 1, "comments": 1, "tracker": 1})
    return Dependencies(
        tables=tables,
        cluster=lambda: system.cluster,
        groups=lambda: members,
        blobs=blobs(),
        definitions=(REVIEWS,),
        token=token,
        clock=system.clock.now,
        held=Cached(0.0),
    )


def told(test: SagaTest) -> dict[int, str]:
    """Start everything, and let it come to rest."""
    runs = {}
    for number, title in TITLES.items():
        if number == 4:
            test.pause("step:code_review/comment")
        runs[number] = test.given(pull_request(number, title))
    test.command("pause", runs[4].saga_id)  # type: ignore[arg-type]
    test.run()
    return {number: run.saga_id for number, run in runs.items()}


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with reviews() as test:
        ids = told(test)
        tables = MemoryTables((test.system.saga(one) for one in ids.values()), now=test.system.clock.now())
        with serving(sources_of(test, tables)) as client:
            yield World(test, tables, client, ids)


@pytest.fixture
def client(world: World) -> Client:
    return world.client
