"""What a definition means, agreed upon over the log by processes that start one after the other, and at once."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from kafka_saga.broker.port import Admin, Cluster, Publisher
from kafka_saga.broker.records import Record
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_DEFINITIONS, TopicFactory, topics_of
from kafka_saga.errors import TopologyError, UnavailableError
from kafka_saga.steps import announcements, definition_registry
from kafka_saga.steps.announcements import Announcement, StepOf, announce
from kafka_saga.steps.definition_registry import Statement, agree, decode, stated
from tests.support.driver import Driver, places
from tests.support.example import PARTITIONS, example
from tests.support.members import read_all


class Hesitant:
    """A cluster as one of several processes sees it: none publishes before all have looked."""

    def __init__(self, cluster: Cluster, have_looked: Barrier) -> None:
        self.consumer, self.producer, self.reader = cluster.consumer, cluster.producer, cluster.reader
        self.admin = cluster.admin
        self._publisher = cluster.publisher
        self._have_looked: Barrier | None = have_looked

    def publisher(self) -> Publisher:
        if self._have_looked is not None:
            self._have_looked.wait(30)
            self._have_looked = None
        return self._publisher()


def other(saga: Saga, timeout: int = 2) -> Saga:
    """The same name and version, other content."""
    first, *rest = saga.steps
    return replace(saga, steps=(replace(first, timeout=minutes(timeout)), *rest))


@pytest.fixture
def saga(driver: Driver) -> Saga:
    made = example().saga
    admin = driver.cluster.admin()
    admin.create_missing(topics_of([made], TopicFactory(PARTITIONS)))
    driver.eventually(lambda: has_leaders(admin), lambda: None)
    return made


def has_leaders(admin: Admin) -> bool:
    """A topic that was just created may not have them yet."""
    try:
        return bool(admin.end_offsets(places(SAGA_DEFINITIONS, PARTITIONS)))
    except UnavailableError:
        return False


def said(driver: Driver, saga: Saga) -> list[Statement]:
    found = read_all(driver, SAGA_DEFINITIONS, PARTITIONS)
    return [decode(record.value or b"") for record in found if record.key == stated(saga).key.encode()]


def test_the_first_process_says_what_a_definition_means_and_the_next_one_finds_it(driver: Driver, saga: Saga) -> None:
    for _ in range(3):
        agree(driver.cluster, [saga], driver.clock)

    assert said(driver, saga) == [stated(saga)]


def test_each_version_is_stated(driver: Driver, saga: Saga) -> None:
    versions = [saga, replace(other(saga), version=2)]
    agree(driver.cluster, versions, driver.clock)

    assert [said(driver, version) for version in versions] == [[stated(version)] for version in versions]


def test_a_process_with_other_content_is_refused_and_leaves_nothing(driver: Driver, saga: Saga) -> None:
    agree(driver.cluster, [saga], driver.clock)
    with pytest.raises(TopologyError, match=r"steps\.work\.timeout: 300 -> 120"):
        agree(driver.cluster, [other(saga)], driver.clock)

    assert said(driver, saga) == [stated(saga)]


def test_of_processes_that_come_at_once_with_different_content_one_is_not_refused(driver: Driver, saga: Saga) -> None:
    """All have found nothing when the first one publishes."""
    contents = [other(saga, number) for number in (6, 7, 8)]
    have_looked = Barrier(len(contents))

    def come(mine: Saga) -> str:
        try:
            agree(Hesitant(driver.cluster, have_looked), [mine], driver.clock)
        except TopologyError:
            return "refused"
        return mine.content_hash

    with ThreadPoolExecutor(len(contents)) as pool:
        answers = list(pool.map(come, contents))
    statements = said(driver, saga)

    assert len(statements) >= len(contents), "each of them has published"
    assert sorted(answers) == sorted(["refused", "refused", statements[0].hash])
    assert statements[-1] == statements[0], "what compaction leaves is what counts"
    with pytest.raises(TopologyError):
        agree(driver.cluster, [saga], driver.clock)


def test_what_does_not_count_is_overruled_by_whoever_sees_it(driver: Driver, saga: Saga) -> None:
    """As left by a process that died between its statement and its refusal."""
    agree(driver.cluster, [saga], driver.clock)
    late = stated(other(saga))
    publisher = driver.cluster.publisher()
    publisher.publish(SAGA_DEFINITIONS, late.key.encode(), definition_registry.encode(late), [])
    publisher.publish(SAGA_DEFINITIONS, late.key.encode(), b"no statement", [])
    publisher.close()
    agree(driver.cluster, [saga], driver.clock)
    found = read_all(driver, SAGA_DEFINITIONS, PARTITIONS)
    values = [record.value for record in found if record.key == late.key.encode()]

    assert values == [
        definition_registry.encode(stated(saga)),
        definition_registry.encode(late),
        b"no statement",
        values[0],
    ]


def bank(saga: Saga, version: int, *steps: str) -> Announcement:
    """What a service says of itself that does these steps; each test has its own."""
    return Announcement(
        f"{saga.name}-bank", tuple(StepOf(saga.name, version, step) for step in steps), ("order.placed",)
    )


def announced(driver: Driver, saga: Saga) -> list[Record]:
    key = bank(saga, 1).key.encode()
    return [record for record in read_all(driver, SAGA_DEFINITIONS, PARTITIONS) if record.key == key]


def values(driver: Driver, saga: Saga) -> list[bytes | None]:
    return [record.value for record in announced(driver, saga)]


def test_a_service_announces_itself_once_however_often_it_starts(driver: Driver, saga: Saga) -> None:
    agree(driver.cluster, [saga], driver.clock)
    for _ in range(3):
        announce(driver.cluster, bank(saga, 1, "work"), driver.clock)

    assert values(driver, saga) == [announcements.encode(bank(saga, 1, "work"))]


def test_a_service_that_has_lost_a_step_announces_itself_anew(driver: Driver, saga: Saga) -> None:
    both, one = bank(saga, 1, "work", "finish"), bank(saga, 2, "work")
    for announcement in (both, one, one, both):
        announce(driver.cluster, announcement, driver.clock)

    assert values(driver, saga) == [announcements.encode(announcement) for announcement in (both, one, both)]


def test_a_service_whose_announcement_was_taken_away_announces_itself_again(driver: Driver, saga: Saga) -> None:
    mine = bank(saga, 1, "work")
    announce(driver.cluster, mine, driver.clock)
    publisher = driver.cluster.publisher()
    publisher.publish(SAGA_DEFINITIONS, mine.key.encode(), None, [])
    publisher.close()
    announce(driver.cluster, mine, driver.clock)

    assert values(driver, saga) == [announcements.encode(mine), None, announcements.encode(mine)]


def test_announcements_and_statements_do_not_disturb_one_another(
    driver: Driver, saga: Saga, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        announce(driver.cluster, bank(saga, 1, "work"), driver.clock)
        agree(driver.cluster, [saga], driver.clock)
        announce(driver.cluster, bank(saga, 2, "work"), driver.clock)
        known = agree(driver.cluster, [], driver.clock)

    assert stated(saga) in known
    assert said(driver, saga) == [stated(saga)]
    assert len(announced(driver, saga)) == 2
    assert not any(record.where in caplog.text for record in announced(driver, saga))
