"""Several workers as one: who is asked, what is put together, and what is said when a part is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp import web

from kafka_saga.api.health import HealthStatus
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.tracker.core.state import Incident, SagaState
from kafka_saga.views.answers import Answers
from kafka_saga.views.feed import Feed
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.peers import Peers, routes
from kafka_saga.views.port import (
    Change,
    Changed,
    Gone,
    IncidentQuery,
    Lagging,
    Missed,
    OwnerGoneError,
    RestoringError,
    SagaQuery,
    Sort,
)
from kafka_saga.views.position import Positions
from kafka_saga.views.scatter_gather import GatheredTables
from kafka_saga.wire.ids import key_of
from tests.unit.kafka_saga.views.given import BEGAN, HOUR, arrives, did, leaves, saga, step

NOW = BEGAN + HOUR

C = TypeVar("C")
PARTITIONS = 4


@dataclass
class Group:
    """Who holds what, as everybody has it."""

    owners: dict[int, str] = field(default_factory=dict)
    ready: frozenset[int] = frozenset()

    def look(self) -> None:
        """There is nothing to look at."""


@dataclass
class Worker:
    """A worker without a stream, served over HTTP."""

    group: Group
    holdings: PartitionTables
    positions: Positions
    answers: Answers
    tables: GatheredTables
    runner: web.AppRunner

    def take(self, state: SagaState, offset: int = 0) -> None:
        key = state.key.encode()
        _, value = self.holdings.fold(state.partition, key, arrives(state, offset))
        self.holdings.put(state.partition, key, value)

    def lose(self, saga_id: str) -> None:
        key = key_of(saga_id)
        number = partition_of(key.encode(), PARTITIONS)
        _, value = self.holdings.fold(number, key.encode(), leaves(saga_id, 9))
        self.holdings.put(number, key.encode(), value)


class Workers:
    """Workers that share partitions, in one process; `of` asks each for its part over real HTTP."""

    def __init__(self, shares: Iterable[Iterable[int]]) -> None:
        self._shares = [frozenset(share) for share in shares]
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> list[Worker]:
        self._session = aiohttp.ClientSession()
        self._workers = [await self._worker(share) for share in self._shares]
        owners = {number: one.answers.url for one in self._workers for number in one.group.ready}
        for one in self._workers:
            one.group.owners.update(owners)
        return self._workers

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        for one in self._workers:
            await one.runner.cleanup()

    async def _worker(self, share: frozenset[int]) -> Worker:
        group, feed, positions = Group(ready=share), Feed(), Positions()
        positions.begin(share)
        for number in share:
            positions.read_to_the_end(number, NOW - 1_000 * number)
        holdings = PartitionTables({}, feed.tell)
        app = web.Application()
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        answers = Answers("", PARTITIONS, holdings, positions, group, lambda: NOW)
        app.add_routes(routes(answers, feed))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        answers.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return Worker(
            group, holdings, positions, answers, GatheredTables(answers, feed, Peers(self._session), 4.0), runner
        )


def placed(saga_id: str, **fields: Any) -> SagaState:
    number = partition_of(key_of(saga_id).encode(), PARTITIONS)
    return saga(saga_id, partition=number, **fields)


SAGAS = [f"key{n}@1" for n in range(20)]


def fill(workers: list[Worker], names: Iterable[str] = SAGAS) -> None:
    for place, name in enumerate(names):
        state = placed(name, started_at=BEGAN + place, steps=(step("one", did(NOW - 2_000, 100)),))
        owner_of(workers, state).take(state)


def owner_of(workers: list[Worker], state: SagaState) -> Worker:
    return next(one for one in workers if state.partition in one.group.ready)


def test_any_worker_answers_for_any_key() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as workers:
            fill(workers)
            for worker in workers:
                for name in SAGAS:
                    found = await worker.tables.of_key(key_of(name))
                    assert [state.saga_id for state in found.sagas] == [name]
                assert (await worker.tables.of_key("nobody")).sagas == ()

    asyncio.run(scenario())


def test_a_list_has_everything_in_order_page_by_page_with_one_cursor() -> None:
    async def scenario() -> None:
        async with Workers([{0}, {1, 3}, {2}]) as workers:
            fill(workers)
            for worker in workers:
                found: list[str] = []
                query = SagaQuery(sort=Sort.STARTED, descending=False, limit=3)
                while True:
                    page = await worker.tables.sagas(query)
                    assert (page.total, page.counts) == (20, {"running": 20})
                    found += [state.saga_id for state in page.sagas]
                    if page.next is None:
                        break
                    query = SagaQuery(sort=Sort.STARTED, descending=False, limit=3, after=page.next)
                assert found == SAGAS

    asyncio.run(scenario())


def test_an_answer_says_how_far_the_worker_is_behind_that_is_furthest_behind() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, _]:
            assert (await one.tables.sagas(SagaQuery())).behind_s == 3
            assert (await one.tables.figures()).behind_s == 3
            assert (await one.tables.health()).behind_s == 3

    asyncio.run(scenario())


def test_figures_of_all_workers_are_put_together() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as workers:
            fill(workers)
            troubled = placed("key0@1", revision=5, incidents=(Incident("i", "exhausted", "one", "no", NOW),))
            owner_of(workers, troubled).take(troubled)
            found = await workers[0].tables.figures()
            assert (found.counts, found.incidents) == ({"running": 20}, 1)
            assert found.definitions == {"chain": {"running": 20}}
            [figures] = found.steps
            assert (figures.definition, figures.step, figures.windows["1m"].done) == ("chain", "one", 19)
            page = await workers[1].tables.incidents(IncidentQuery())
            assert [one.saga_id for one in page.incidents] == ["key0@1"]

    asyncio.run(scenario())


def test_a_key_whose_owner_is_gone_is_said_to_be_with_its_partition_and_when_to_ask_again() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, two]:
            fill([one, two])
            lost = next(name for name in SAGAS if placed(name).partition in two.group.ready)
            await two.runner.cleanup()
            with pytest.raises(OwnerGoneError, match=two.answers.url) as raised:
                await one.tables.of_key(key_of(lost))
            assert (raised.value.partition, raised.value.retry_after_s) == (placed(lost).partition, 4.0)
            with pytest.raises(OwnerGoneError):
                await one.tables.sagas(SagaQuery())
            kept = next(name for name in SAGAS if placed(name).partition in one.group.ready)
            assert (await one.tables.of_key(key_of(kept))).sagas
            health = await one.tables.health()
            assert health.status is HealthStatus.PARTIAL
            assert "2, 3" in health.reasons[0]

    asyncio.run(scenario())


def test_nothing_is_answered_in_part_while_a_partition_is_restored() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, two]:
            fill([one, two])
            two.group.ready = frozenset({2})
            with pytest.raises(RestoringError, match="partitions 3 "):
                await one.tables.sagas(SagaQuery())
            lost = next(name for name in SAGAS if placed(name).partition == 3)
            with pytest.raises(RestoringError, match="partition 3 "):
                await one.tables.of_key(key_of(lost))
            assert (await one.tables.health()).status is HealthStatus.RESTORING

    asyncio.run(scenario())


def test_a_partition_that_is_nobodys_or_two_workers_is_on_its_way() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, two]:
            two.group.ready = frozenset({1, 2, 3})
            with pytest.raises(RestoringError, match="partitions 1 are on their way"):
                await one.tables.sagas(SagaQuery())
            del one.group.owners[2]
            with pytest.raises(RestoringError, match="partitions 2 "):
                await one.tables.sagas(SagaQuery())
            with pytest.raises(RestoringError):
                await one.tables.of_key(key_of(next(n for n in SAGAS if placed(n).partition == 2)))

    asyncio.run(scenario())


def test_changes_of_all_workers_are_heard_at_any_of_them() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, two]:
            heard = one.tables.changes()
            first = asyncio.ensure_future(until(heard, Lagging))
            await first
            for name in SAGAS:
                state = placed(name, revision=7)
                owner_of([one, two], state).take(state)
            found = {change.state.saga_id async for change in take(heard, Changed, len(SAGAS))}
            assert found == set(SAGAS)
            owner_of([one, two], placed(SAGAS[0])).lose(SAGAS[0])
            [gone] = [change async for change in take(heard, Gone, 1)]
            assert gone.saga_id == SAGAS[0]
            await heard.aclose()

    asyncio.run(scenario())


def test_of_one_saga_only_its_changes_are_heard() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as workers:
            for worker in workers:
                heard = worker.tables.changes(SAGAS[3])
                await until(heard, Lagging)
                fill(workers)
                [change] = [change async for change in take(heard, Changed, 1)]
                assert change.state.saga_id == SAGAS[3]
                await heard.aclose()
                for name in SAGAS:
                    owner_of(workers, placed(name)).lose(name)

    asyncio.run(scenario())


def test_whoever_listens_is_told_when_a_worker_goes_or_partitions_move() -> None:
    async def scenario() -> None:
        async with Workers([{0, 1}, {2, 3}]) as [one, two]:
            heard = one.tables.changes()
            await until(heard, Lagging)
            await two.runner.cleanup()
            assert two.answers.url in (await until(heard, Missed)).why
            one.group.owners.update(dict.fromkeys(range(PARTITIONS), one.answers.url))
            assert "shared out" in (await until(heard, Missed)).why
            await heard.aclose()

    asyncio.run(scenario())


async def until(changes: AsyncIterator[Change], kind: type[C]) -> C:
    """The next of a kind."""
    async with asyncio.timeout(10):
        async for change in changes:
            if isinstance(change, kind):
                return change
    raise AssertionError("the stream has ended")


async def take(changes: AsyncIterator[Change], kind: type[C], number: int) -> AsyncIterator[C]:
    """The next so many of a kind."""
    for _ in range(number):
        yield await until(changes, kind)
