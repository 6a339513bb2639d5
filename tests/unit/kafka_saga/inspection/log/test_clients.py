"""Clients of Kafka that are kept: made once, lent to one question at a time, given up together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kafka_saga.broker.reading import to_the_end
from kafka_saga.broker.records import Outgoing, TopicPartition
from kafka_saga.errors import UnavailableError
from kafka_saga.inspection.log.clients import IDLE, Clients
from kafka_saga.testing import SagaTest
from tests.unit.kafka_saga.cli.cluster import Counted, Members
from tests.unit.kafka_saga.cli.given import log_with
from tests.unit.kafka_saga.views.http_api.conftest import sources_of
from tests.unit.kafka_saga.views.http_api.reviews import reviews
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables


@pytest.fixture
def cluster() -> Counted:
    return Counted(log_with({}, Outgoing("ast.completed", 0, b"k", b"{}", [])))


@pytest.fixture
def clients(cluster: Counted) -> Clients:
    return Clients(lambda: cluster, lambda: Members({}))


AT = TopicPartition("ast.completed", 0)


def _read(clients: Clients) -> int:
    reader = clients.reader()
    try:
        return len(list(to_the_end(reader, {AT: None})))
    finally:
        reader.close()


def test_a_reader_is_used_again_and_reads_the_same(clients: Clients, cluster: Counted) -> None:
    assert [_read(clients), _read(clients), _read(clients)] == [1, 1, 1]
    assert len(cluster.readers) == 1


def test_a_reader_that_nobody_uses_reads_nothing(clients: Clients, cluster: Counted) -> None:
    _read(clients)
    assert cluster.readers[0].reads == {}
    assert not cluster.readers[0].is_closed


def test_two_questions_at_once_have_a_reader_each(clients: Clients, cluster: Counted) -> None:
    first, second = clients.reader(), clients.reader()
    assert len(cluster.readers) == 2
    first.close()
    second.close()


def test_no_more_readers_are_kept_than_a_few(clients: Clients, cluster: Counted) -> None:
    lent = [clients.reader() for _ in range(IDLE + 2)]
    for reader in lent:
        reader.close()
    assert [reader.is_closed for reader in cluster.readers] == [False] * IDLE + [True] * 2


def test_clients_that_are_given_up_are_not_used_again(clients: Clients, cluster: Counted) -> None:
    lent, idle = clients.reader(), clients.reader()
    before = clients.groups()
    clients.admin()
    idle.close()
    clients.renew()
    lent.close()
    assert [reader.is_closed for reader in cluster.readers] == [True, True]
    assert _read(clients) == 1
    clients.admin()
    clients.admin()
    assert (len(cluster.readers), cluster.admins) == (3, 2)
    assert clients.groups() is not before


def test_what_only_reads_and_is_refused_at_once_is_asked_again_with_new_clients(cluster: Counted) -> None:
    refused = [UnavailableError("not the leader any more")]

    async def asked(test: SagaTest) -> tuple[int, int]:
        sources = replace(sources_of(test, MemoryTables()), cluster=lambda: cluster).with_kept_clients()

        def ask() -> int:
            sources.cluster().admin()
            if refused:
                raise refused.pop()
            return 7

        return await sources.reading(ask), cluster.admins

    with reviews() as test:
        assert asyncio.run(asked(test)) == (7, 2)


def test_a_question_that_kafka_does_not_answer_gives_up_the_clients(cluster: Counted) -> None:
    def ask() -> None:
        raise UnavailableError("Kafka does not answer")

    async def asked(test: SagaTest) -> None:
        sources = replace(sources_of(test, MemoryTables()), cluster=lambda: cluster).with_kept_clients()
        kept = sources.cluster().admin()
        assert sources.cluster().admin() is kept
        with pytest.raises(UnavailableError):
            await sources.blocking(ask)
        assert sources.cluster().admin() is not kept

    with reviews() as test:
        asyncio.run(asked(test))
