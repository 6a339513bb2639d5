"""An idempotency key stands for one command on a real Kafka, whichever worker is asked and whoever has restarted."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.reading import to_the_end
from kafka_saga.broker.records import TopicPartition
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.inspection.commands.sending import keyed
from tests.e2e.support import views
from tests.e2e.support.stage import Stage, staged
from tests.e2e.support.views import PARTITIONS, Reply, Worker, state

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

PROMPT = 5.0
"""Seconds in which a command is taken, at most; it takes a tenth of that."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


def give(worker: Worker, key: str, **command: object) -> Reply:
    """Ask for a command under a key."""
    body = json.dumps({"author": "ada", **command}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(f"{worker.url}/api/v1/commands", body, headers)  # noqa: S310  # an address of ours
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return Reply(response.status, json.loads(response.read()), dict(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, json.loads(error.read()), dict(error.headers))


def on_the_log(stage: Stage) -> list[str]:
    """The keys of the commands on the log."""
    reader = KafkaCluster({"bootstrap.servers": stage.bootstrap}).reader()
    try:
        records = list(to_the_end(reader, {TopicPartition(SAGA_COMMANDS, n): None for n in range(PARTITIONS)}))
    finally:
        reader.close()
    return [request.key for request in map(keyed, records) if request is not None]


def test_a_key_is_known_to_every_worker_and_after_a_restart(stage: Stage) -> None:
    one, two = views.worker(stage.fleet, "one"), views.worker(stage.fleet, "two")
    stage.until(lambda: all(worker.holds_all_with(2) for worker in (one, two)), "two workers to share")
    views.publish_states(stage.bootstrap, [state("acme#1", 1), state("acme#2", 1)])
    for worker in (one, two):
        stage.until(lambda: worker.knows("acme#1@1", 1) and worker.knows("acme#2@1", 1), "two sagas")  # noqa: B023
    first = give(one, "mine", command="pause", saga_ids=["acme#1@1"])
    assert (first.status, first.body["command_id"], first.body["repeated"]) == (202, "mine", False)
    for worker in (one, two, views.worker(stage.fleet, "three")):
        stage.until(lambda: worker.knows("acme#1@1", 1), "the saga")  # noqa: B023
        began = time.monotonic()
        again = give(worker, "mine", command="pause", saga_ids=["acme#1@1"])
        assert (again.status, again.body["command_ids"], again.body["repeated"]) == (202, ["mine"], True)
        for other in ({"command": "cancel", "saga_ids": ["acme#1@1"]}, {"command": "pause", "scope": "prefix:acme"}):
            refused = give(worker, "mine", **other)
            assert (refused.status, refused.body["type"]) == (409, "urn:saga:problem:idempotency-key-reused")
        assert time.monotonic() - began < PROMPT
    assert on_the_log(stage) == ["mine"]
