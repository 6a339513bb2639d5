"""A worker of the views as a process: whatever happens to Kafka, and whenever, it answers and says what is wrong."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from kafka_saga.definition.topics import MAX_MESSAGE_BYTES
from kafka_saga.errors import UnavailableError
from kafka_saga.local.ports import any_port, is_free
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stream import stall_watchdog
from kafka_saga.views.stream.app import ViewsApp, Wiring, make_app
from kafka_saga.views.stream.table import CHANGELOG
from kafka_saga.views.stream.transport import FETCH_WAIT
from tests.e2e.support import views
from tests.e2e.support.stage import Stage, staged
from tests.e2e.support.views import Worker, fetch, state

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

LONGER_THAN_A_SESSION = 6.0


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def test_a_worker_without_kafka_answers_why_it_has_no_answers_and_works_when_kafka_comes(stage: Stage) -> None:
    stage.kafka.kill()
    worker = views.worker(stage.fleet, "views")
    stage.until(lambda: "Kafka does not answer" in reason(worker), "it to say what it waits for")
    readiness = worker.readiness()
    assert readiness is not None
    assert readiness.status == 503
    assert "Kafka does not answer" in readiness.body["reasons"][0]
    alive = fetch(f"http://127.0.0.1:{worker.health_port}/healthz")
    assert alive is not None
    assert alive.status == 200
    for path in ("/sagas", "/sagas/acme%231@1", "/incidents", "/dead-letters", "/topology", "/figures", "/changes"):
        reply = worker.get(path)
        assert reply is not None
        assert reply.status == 503
        assert "Kafka does not answer" in reply.body["detail"]
        assert int(reply.headers["Retry-After"]) > 0

    stage.kafka.restart()
    is_back(stage, worker, 1)
    assert not worker.member.past
    stage.until(lambda: ready(worker), "it to say so")


MOMENTS: tuple[tuple[str, Callable[[Worker], bool], str, float], ...] = (
    ("before anything", lambda _: True, "killed", 0.5),
    ("as it listens", lambda worker: worker.get("/health") is not None, "frozen", 0.5),
    ("as the stream starts", lambda worker: worker.member.said("the HTTP API is at"), "killed", 0.5),
    ("as it is ready", lambda worker: worker.holds_all_with(1), "killed", LONGER_THAN_A_SESSION),
)


def test_a_worker_answers_again_at_whatever_moment_kafka_was_gone(stage: Stage) -> None:
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 2) for n in range(500)))
    worker = views.worker(stage.fleet, "views")
    for revision, (moment, has_come, how, seconds) in enumerate(MOMENTS):
        stage.until(lambda: has_come(worker), moment)  # noqa: B023
        with gone(stage, how):
            stage.pause.wait(seconds)
        is_back(stage, worker, 2 * revision)
        worker.member.kill()
        worker.member.start()
    assert {process.returncode for process in worker.member.past} <= {1, -signal.SIGKILL}


def test_a_stream_that_stands_still_is_found_out_and_one_whose_kafka_is_away_is_not(stage: Stage) -> None:
    """Faust's fetcher is stopped, which it does not notice itself. A fetch under way may still take some records."""

    async def scenario(app: ViewsApp, is_there: Callable[[], Awaitable[bool]]) -> str:
        await app.start()
        while len(app.ready) < views.PARTITIONS:
            await between_looks()
        watch = stall_watchdog.StallWatchdog(lambda: stall_watchdog.marks_of(app), is_there, 2 * stall_watchdog.EVERY)
        stage.kafka.pause()
        assert not await is_there()
        stage.kafka.resume()
        while not await is_there():
            pass
        revisions = itertools.count(2)
        while True:
            await app._fetcher.stop()
            revision = next(revisions)
            views.publish_states(stage.bootstrap, (state(f"acme#{n}", revision) for n in range(40)))
            await between_looks()
            try:
                await watch.look()
            except UnavailableError as error:
                return str(error)

    async def run() -> str:
        kafka = {"bootstrap.servers": stage.bootstrap}
        app = make_app(
            Wiring(kafka, "http://127.0.0.1:1", views.PARTITIONS), PartitionTables({}), Positions(), lambda: None
        )
        try:
            async with asyncio.timeout(60):
                return await scenario(app, stall_watchdog.asking(kafka, app))
        finally:
            await asyncio.wait({asyncio.ensure_future(app.stop())}, timeout=20)

    assert "stood still" in asyncio.run(run())


def test_a_worker_whose_stream_breaks_off_ends_and_the_next_says_what_it_waits_for(stage: Stage) -> None:
    """The broker refuses the changelog for good: the topic takes no record of that size any more."""
    worker = views.worker(stage.fleet, "views")
    is_back(stage, worker, 1)
    worker.member.is_wanted = False
    configure(stage.bootstrap, CHANGELOG, "max.message.bytes", "100")
    views.publish_states(stage.bootstrap, [state("acme#0", 2)])
    assert worker.member.process.wait(30) == 1
    assert worker.member.said("the stream broke off")
    assert worker.member.said("the changelog could not be written")
    assert not worker.member.said("Traceback")

    worker.member.start()
    assert worker.member.process.wait(30) == 1
    assert worker.member.said(f"topic {CHANGELOG}")
    configure(stage.bootstrap, CHANGELOG, "max.message.bytes", str(MAX_MESSAGE_BYTES))
    worker.member.start()
    is_back(stage, worker, 3)


def test_a_worker_that_is_told_to_stop_while_kafka_is_away_stops_in_time(stage: Stage) -> None:
    worker = views.worker(stage.fleet, "views", SAGA_DRAIN_TIMEOUT="2")
    is_back(stage, worker, 1)
    stage.kafka.pause()
    assert worker.member.stop(15) == 0
    worker.member.start()
    stage.until(lambda: "Kafka does not answer" in reason(worker), "it to wait for Kafka")
    assert worker.member.stop(15) == 0
    stage.kafka.resume()


def test_of_two_workers_with_one_address_the_second_refuses_and_the_first_goes_on(stage: Stage) -> None:
    one = views.worker(stage.fleet, "one")
    is_back(stage, one, 1)
    two = views.worker(stage.fleet, "two", SAGA_VIEWS_URL=one.url)
    two.member.is_wanted = False
    assert two.member.process.wait(30) == 1
    assert two.member.said(f"{one.url} is the address that this worker")
    assert two.member.said(f"leads to another one (process {one.member.pid}")
    assert not two.member.said("Traceback")
    assert one.holds_all_with(1)


def test_a_worker_whose_address_comes_to_lead_to_another_ends(stage: Stage) -> None:
    """The first to start cannot know: nobody is there yet."""
    port = any_port(is_free)
    one = views.worker(stage.fleet, "one", SAGA_VIEWS_URL=f"http://127.0.0.1:{port}")
    one.member.is_wanted = False
    stage.until(lambda: one.holds_all_with(1), "it to be ready")
    assert any("does not lead back to it" in reason for reason in one.health()["reasons"])
    two = views.worker(stage.fleet, "two", SAGA_VIEWS_PORT=str(port))
    assert one.member.process.wait(40) == 1
    assert one.member.said("leads to another one")
    stage.until(lambda: Worker(two.member, port, two.health_port).holds_all_with(1), "the other to have everything")


def test_workers_share_anew_when_one_is_killed_amid_sharing(stage: Stage) -> None:
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 2) for n in range(200)))
    one = views.worker(stage.fleet, "one")
    stage.until(lambda: one.holds_all_with(1), "the first")
    two = views.worker(stage.fleet, "two")
    two.member.is_wanted = False
    stage.until(lambda: two.member.said("the HTTP API is at"), "the second to come")
    stage.until(lambda: not one.holds_all_with(1), "partitions to move")
    two.member.kill()
    is_back(stage, one, 4)
    assert len(listed(one)) == 200
    assert not one.member.past


def test_a_worker_needs_no_disk(stage: Stage, tmp_path: Path) -> None:
    """A full disk, or one that is read only: tables are in memory, and their changelog is on Kafka."""
    nowhere = tmp_path / "file"
    nowhere.write_text("a file, where a folder is wanted")
    worker = views.worker(stage.fleet, "views", SAGA_HOME=str(nowhere), SAGA_BLOB_URL=str(nowhere / "blobs"))
    is_back(stage, worker, 1)
    assert not worker.member.past
    assert not worker.member.said("Traceback")


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_workers_are_reached_by_ipv6_and_at_any_free_port(stage: Stage) -> None:
    told = {"SAGA_VIEWS_HOST": "::1", "SAGA_VIEWS_PORT": "0"}
    one, two = (views.worker(stage.fleet, name, **told) for name in ("one", "two"))
    stage.until(lambda: ready(one) and ready(two), "both to be ready")
    views.publish_states(stage.bootstrap, (state(f"acme#{n}", 2) for n in range(20)))
    addresses = [address(worker) for worker in (one, two)]
    for at in addresses:
        stage.until(lambda: total(at) == 20, "all sagas, at both")  # noqa: B023
        found = fetch(f"{at}/api/v1/health")
        assert found is not None
        assert sorted(worker["url"] for worker in found.body["workers"]) == sorted(addresses)


@contextmanager
def gone(stage: Stage, how: str) -> Iterator[None]:
    """Kafka is not there inside."""
    stage.kafka.kill() if how == "killed" else stage.kafka.pause()
    try:
        yield
    finally:
        stage.kafka.restart() if how == "killed" else stage.kafka.resume()


async def between_looks() -> None:
    """Shorter than in a worker."""
    await asyncio.sleep(2 * FETCH_WAIT / 1000)


def configure(bootstrap: str, topic: str, name: str, value: str) -> None:
    """Change a setting of a topic."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def is_back(stage: Stage, worker: Worker, revision: int) -> None:
    """It takes in what is written now."""
    views.publish_states(stage.bootstrap, [state("acme#0", revision)])
    stage.until(lambda: worker.knows("acme#0@1", revision), f"revision {revision}", 100)
    stage.until(lambda: worker.holds_all_with(1), "it to be ready")


def reason(worker: Worker) -> str:
    """Why it has no answers; empty if nobody answers."""
    reply = worker.get("/sagas")
    return "" if reply is None or reply.status != 503 else str(reply.body["detail"])


def ready(worker: Worker) -> bool:
    reply = worker.readiness()
    return reply is not None and reply.status == 200


def listed(worker: Worker) -> list[str]:
    reply = worker.get("/sagas", limit=500)
    return [] if reply is None or reply.status != 200 else [one["saga_id"] for one in reply.body["items"]]


def address(worker: Worker) -> str:
    """Where it says that it is."""
    line = next(one for one in worker.member.log.read_text().splitlines() if "the HTTP API is at" in one)
    return line.partition("API is at ")[2].partition("/api/v1")[0]


def total(at: str) -> int:
    reply = fetch(f"{at}/api/v1/sagas")
    return 0 if reply is None or reply.status != 200 else int(reply.body["total"])
