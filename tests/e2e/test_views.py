"""The views on a real Kafka: what is committed only, nothing lost whatever dies, and any worker answers anything."""

from __future__ import annotations

import asyncio
import random
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stream.app import Wiring, make_app
from kafka_saga.views.stream.table import CHANGELOG
from kafka_saga.wire.ids import key_of
from tests.e2e.support import views
from tests.e2e.support.observed import Groups, Log
from tests.e2e.support.stage import Stage, staged
from tests.e2e.support.views import Worker, state

LZ4 = 3
"""How the attributes of a batch name it."""

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def test_a_state_that_was_not_committed_is_not_seen(stage: Stage) -> None:
    worker = views.worker(stage.fleet, "views")
    producer = Producer({"bootstrap.servers": stage.bootstrap, "transactional.id": "tracker", "linger.ms": 0})
    producer.init_transactions()
    for revision, is_kept in ((1, True), (2, False), (3, False)):
        producer.begin_transaction()
        views.write(producer, state("acme#1", revision))
        producer.flush()
        producer.commit_transaction() if is_kept else producer.abort_transaction()
    views.publish_states(stage.bootstrap, [state("acme#2", 1)])
    stage.until(lambda: worker.knows("acme#2@1", 1), "what was published after it")
    stage.until(lambda: worker.knows("acme#1@1", 1), "what was committed")
    stage.until(lambda: not worker.health()["behind_s"] > 1, "the end of the log")
    found = worker.get("/sagas/acme%231@1")
    assert found is not None
    assert found.body["revision"] == 1


def test_nothing_is_lost_when_workers_are_killed_under_load_while_the_broker_is_slow(stage: Stage) -> None:
    worker = views.worker(stage.fleet, "views")
    stage.until(lambda: worker.holds_all_with(1), "the worker to be ready")
    log = Log(stage.bootstrap, (SAGA_STATE, CHANGELOG))
    load = threading.Thread(target=views.publish_states, args=(stage.bootstrap, rising(300, 60)))
    with slow(stage.kafka):
        load.start()
        for kill in range(4):
            wanted = 3_000 * (kill + 1)
            stage.until(partial(has_folded, log, wanted), f"{wanted} values on the changelog", 120)
            worker.member.kill()
        load.join()
    stage.until(lambda: worker.knows("acme#299@1", 60), "the last of all", 120)
    stage.until(lambda: is_at_the_end(worker, log), "the end of the log", 120)

    should = views.folded(log.records[SAGA_STATE])
    assert len(should) == 300
    assert views.on_changelog(log.records[CHANGELOG]) == should
    listed = worker.get("/sagas", limit=500)
    assert listed is not None
    assert {one["saga_id"]: one["revision"] for one in listed.body["items"]} == {f"acme#{n}@1": 60 for n in range(300)}
    assert len(worker.member.past) == 4
    log.close()


def test_offsets_wait_until_the_broker_has_everything_that_was_written_before(stage: Stage) -> None:
    """The same as above, without chance: more is on its way than Kafka's client takes in while the broker is away."""
    log = Log(stage.bootstrap, (CHANGELOG,))
    written = 3_000

    async def scenario() -> int:
        wiring = Wiring({"bootstrap.servers": stage.bootstrap}, "http://127.0.0.1:1", views.PARTITIONS)
        app = make_app(wiring, PartitionTables({}), Positions(), lambda: None)
        await app.maybe_start_producer()
        stage.kafka.pause()
        for number in range(written):
            app.table.send_changelog(number % views.PARTITIONS, b"key%d" % number, b"value" * 100)
        flush = asyncio.ensure_future(app.producer.flush())
        done, _ = await asyncio.wait([flush], timeout=1.0)
        assert not done
        stage.kafka.resume()
        await flush
        ends = KafkaCluster({"bootstrap.servers": stage.bootstrap}).admin().end_offsets(log.partitions)
        await app.producer.stop()
        return sum(ends.values())

    assert asyncio.run(scenario()) == written
    log.close()


def test_any_worker_answers_for_any_key_and_lists_have_everything(stage: Stage) -> None:
    one, two = views.worker(stage.fleet, "one"), views.worker(stage.fleet, "two")
    stage.until(lambda: all(worker.holds_all_with(2) for worker in (one, two)), "two workers to share")
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 3) for n in range(40)))
    views.publish_states(stage.bootstrap, [views.with_incident(state("acme#7", 5)), state("acme#8", 3, run="2")])
    for worker in (one, two):
        stage.until(lambda: worker.knows("acme#7@1", 5), "the incident")  # noqa: B023
        for n in range(40):
            stage.until(lambda: worker.knows(f"acme#{n}@1", 3), f"acme#{n}")  # noqa: B023
        stage.until(lambda: worker.knows("acme#8@2", 3), "the other run")  # noqa: B023
        assert pages(worker) == by_key([f"acme#{n}@1" for n in range(40)] + ["acme#8@2"])
        incidents = worker.get("/incidents")
        assert incidents is not None
        assert [(item["saga_id"], item["step"]) for item in incidents.body["items"]] == [("acme#7@1", "one")]
        figures = worker.get("/figures")
        assert figures is not None
        assert figures.body["counts"] == {"running": 41}
    held = [worker["partitions"] for worker in one.health()["workers"]]
    assert sorted(number for numbers in held for number in numbers) == [0, 1, 2, 3]
    assert all(held)


def test_a_key_whose_owner_is_gone_is_said_to_be_and_comes_back(stage: Stage) -> None:
    one, two = views.worker(stage.fleet, "one"), views.worker(stage.fleet, "two")
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 3) for n in range(40)))
    stage.until(lambda: one.holds_all_with(2) and len(pages(one)) == 40, "two workers to share")
    lost = next(worker for worker in one.health()["workers"] if worker["url"] == two.url)["partitions"]
    key = next(f"acme#{n}" for n in range(40) if state(f"acme#{n}", 3).partition in lost)

    two.member.is_wanted = False
    two.member.kill()
    gone = one.get(f"/sagas/{key.replace('#', '%23')}@1")
    assert gone is not None
    assert gone.status == 503
    assert f"partition {state(key, 3).partition}" in gone.body["detail"]
    assert int(gone.headers["Retry-After"]) == gone.body["retry_after"] == 4
    listed = one.get("/sagas")
    assert listed is not None
    assert listed.status == 503
    assert one.health()["status"] == "partial"
    stage.until(lambda: one.knows(f"{key}@1", 3), "another to take its partitions", 30)
    assert len(pages(one)) == 40


def test_sagas_move_with_their_partitions_and_leave_nothing_behind(stage: Stage) -> None:
    one = views.worker(stage.fleet, "one")
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 3) for n in range(40)))
    stage.until(lambda: one.holds_all_with(1) and len(pages(one)) == 40, "the first worker")
    two = views.worker(stage.fleet, "two")
    stage.until(lambda: all(worker.holds_all_with(2) for worker in (one, two)), "two workers to share")
    assert len(pages(one)) == len(pages(two)) == 40
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 5) for n in range(40)))
    views.publish_tombstone(stage.bootstrap, state("acme#39", 5))
    stage.until(lambda: all(one.knows(f"acme#{n}@1", 5) for n in range(39)), "what happened meanwhile")

    began = time.monotonic()
    assert two.member.stop() == 0
    stage.until(lambda: one.holds_all_with(1) and len(pages(one)) == 39, "all to come back")
    assert time.monotonic() - began < 10
    assert all(one.knows(f"acme#{n}@1", 5) for n in range(39))
    assert held(one, "saga_views_sagas") == 39


def test_a_worker_whose_kafka_is_away_waits_says_how_far_behind_it_is_and_goes_on(stage: Stage) -> None:
    stage.kafka.pause()
    worker = views.worker(stage.fleet, "views")
    stage.until(lambda: worker.member.said("Trying again until it works"), "the worker to wait for Kafka")
    stage.kafka.resume()
    stage.until(lambda: worker.holds_all_with(1), "the worker to be ready")
    views.publish_states(stage.bootstrap, [state("acme#1", 1)])
    stage.until(lambda: worker.knows("acme#1@1", 1), "a saga")

    stage.kafka.pause()
    stage.until(lambda: worker.health()["behind_s"] > 3, "it to say that it is behind")
    stale = worker.get("/sagas/acme%231@1")
    assert stale is not None
    assert (stale.status, stale.body["revision"]) == (200, 1)
    assert float(stale.headers["Saga-Behind-Seconds"]) > 3
    stage.kafka.resume()
    views.publish_states(stage.bootstrap, [state("acme#1", 2)])
    stage.until(lambda: worker.knows("acme#1@1", 2), "what happened meanwhile")
    stage.until(lambda: worker.health()["behind_s"] < 1, "it to have caught up")


def test_states_that_are_large_and_compressed_come_back_as_they_are(stage: Stage, tmp_path: Path) -> None:
    """The tracker's producer compresses what it writes with lz4; small batches stay as they are."""
    worker = views.worker(stage.fleet, "views")
    log = Log(stage.bootstrap, (SAGA_STATE, CHANGELOG))
    errors = ["no: " + "é" * 300_000, random.Random(7).randbytes(200_000).hex(), "short"]
    large = [state("acme#1", 1, run=str(number), error=error) for number, error in enumerate(errors)]
    producer = Producer({"bootstrap.servers": stage.bootstrap, "compression.type": "lz4", "linger.ms": 200})
    for saga in large:
        views.write(producer, saga)
    assert producer.flush(30) == 0
    assert LZ4 in codecs(tmp_path, SAGA_STATE)
    stage.until(lambda: shown(worker) == errors, "all of them")

    worker.member.kill()
    stage.until(lambda: shown(worker) == errors, "it to have restored them")
    stage.until(lambda: is_at_the_end(worker, log), "the end of the log")
    assert views.on_changelog(log.records[CHANGELOG]) == views.folded(log.records[SAGA_STATE])
    log.close()


def test_what_cannot_be_read_is_left_out_counted_and_told(stage: Stage) -> None:
    worker = views.worker(stage.fleet, "views")
    newer = state("acme#1", 2)
    producer = Producer({"bootstrap.servers": stage.bootstrap})
    views.publish_states(stage.bootstrap, [state("acme#1", 1)])
    for value in (b"no json", b'{"saga_id":"acme#1@1","definition":"chain","version":1,"status":"dreaming"}'):
        producer.produce(SAGA_STATE, value, newer.saga_id.encode(), newer.partition)
    producer.produce(SAGA_STATE, b"{}", b"\xff\xfe", newer.partition)
    assert producer.flush(30) == 0
    views.publish_states(stage.bootstrap, [state("acme#1", 3)])
    stage.until(lambda: worker.knows("acme#1@1", 3), "what came after it")
    assert held(worker, 'saga_views_records_total{kind="unreadable"', "service") == 3
    [reason] = worker.health()["reasons"]
    assert "saga.state" in reason
    assert worker.member.log.read_text(encoding="utf-8").count("cannot be read by this version") == 1
    assert not worker.member.past


def test_a_worker_that_is_told_to_stop_leaves_at_once_and_has_committed_what_it_did(stage: Stage) -> None:
    worker = views.worker(stage.fleet, "views")
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 2) for n in range(200)))
    stage.until(lambda: worker.holds_all_with(1) and len(pages(worker)) == 200, "all to be there")
    assert worker.member.stop() == 0
    text = worker.member.log.read_text(encoding="utf-8")
    assert "Traceback" not in text
    assert '"logger":"faust' not in text
    groups = Groups(stage.bootstrap)
    stage.until(lambda: groups.state("saga-views") == "EMPTY", "the group to be empty", 5)
    worker.member.start()
    stage.until(lambda: worker.holds_all_with(1), "it to be back")
    assert len(pages(worker)) == 200
    assert held(worker, 'saga_views_records_total{kind="changed"', "service") == 0


def rising(keys: int, revisions: int) -> Iterator[SagaState]:
    """States of so many sagas, side by side."""
    return (state(f"acme#{n}", revision) for revision in range(1, revisions + 1) for n in range(keys))


@contextmanager
def slow(kafka: EmbeddedKafka) -> Iterator[None]:
    """A broker that stands still for 300 of every 400 ms, so that acknowledgements come late."""
    over = threading.Event()

    def blink() -> None:
        while not over.is_set():
            kafka.pause()
            over.wait(0.3)
            kafka.resume()
            over.wait(0.1)

    thread = threading.Thread(target=blink)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        kafka.resume()


def has_folded(log: Log, values: int) -> bool:
    log.follow()
    return len(log.records[CHANGELOG]) >= values


def is_at_the_end(worker: Worker, log: Log) -> bool:
    log.follow()
    return log.has_caught_up and worker.health().get("behind_s", 99) < 1


def pages(worker: Worker) -> list[str]:
    """Every saga of the list, page by page, in the order of keys; none while it cannot be answered."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        asked = {"cursor": cursor} if cursor else {}
        page = worker.get("/sagas", sort="key", order="asc", limit=7, **asked)
        if page is None or page.status != 200:
            return []
        found += [item["saga_id"] for item in page.body["items"]]
        cursor = page.body["next"]
        if cursor is None:
            return found


def shown(worker: Worker) -> list[str]:
    """The errors of all sagas, by saga."""
    page = worker.get("/sagas", include="state", limit=500)
    if page is None or page.status != 200:
        return []
    return [item["state"]["error"] for item in sorted(page.body["items"], key=lambda one: str(one["saga_id"]))]


def codecs(folder: Path, topic: str) -> set[int]:
    """How the batches of a topic are compressed on the broker's disk (Kafka's record batch, version 2)."""
    found = set()
    for path in folder.rglob(f"{topic}-*/*.log"):
        data, at = path.read_bytes(), 0
        while at + 61 <= len(data):
            length, attributes = struct.unpack_from(">8xi9xh", data, at)
            found.add(attributes & 0b111)
            at += 12 + length
    return found


def by_key(sagas: list[str]) -> list[str]:
    return sorted(sagas, key=lambda saga: (key_of(saga), saga))


def held(worker: Worker, metric: str, label: str = "") -> float:
    """The value of a metric."""
    lines = [line for line in worker.metrics().splitlines() if line.startswith(metric.partition("{")[0])]
    wanted = metric.partition("{")[2]
    return next(float(line.rpartition(" ")[2]) for line in lines if wanted in line and label in line)
