"""Workers of the views as processes, asked over HTTP; and states of sagas as the tracker would write them."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import Producer

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_DEFINITIONS, SAGA_STATE, TopicFactory, shared_topics
from kafka_saga.local.ports import any_port, is_free
from kafka_saga.tracker.core.state import Incident, SagaState, SagaStatus, StepState, StepStatus, encode
from kafka_saga.views.stored_sagas import EMPTY, Arrival, Shelf, fold
from kafka_saga.views.stored_sagas import encode as encode_value
from kafka_saga.views.stream.table import CHANGELOG
from kafka_saga.wire.ids import key_of
from tests.e2e.support.fleet import SHORT_SESSION, Fleet, Member

PARTITIONS = 4
BEGAN = 1_790_000_000_000


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Worker:
    """A worker, and where it is."""

    member: Member
    port: int
    health_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **query: str | int) -> Reply | None:
        """The answer; none if nobody answers."""
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        return fetch(f"{self.url}/api/v1{path}{asked}")

    def health(self) -> dict[str, Any]:
        reply = self.get("/health")
        return reply.body if reply is not None and reply.status == 200 else {}

    def readiness(self) -> Reply | None:
        return fetch(f"http://127.0.0.1:{self.health_port}/readyz")

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/metrics", timeout=5) as response:
            return str(response.read().decode())

    def holds_all_with(self, workers: int) -> bool:
        """Whether so many workers together hold every partition, as this one sees it."""
        found = self.health()
        return found.get("status") == "ready" and len(found["workers"]) == workers

    def knows(self, saga_id: str, revision: int) -> bool:
        reply = self.get(f"/sagas/{urllib.parse.quote(saga_id, safe='')}")
        return reply is not None and reply.status == 200 and reply.body["revision"] >= revision


def fetch(url: str) -> Reply | None:
    """The answer of whoever is at `url`; none if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  # an address of ours
            return Reply(response.status, json.loads(response.read()), dict(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, json.loads(error.read()), dict(error.headers))
    except OSError:
        return None


def worker(fleet: Fleet, name: str, **environment: str) -> Worker:
    """One more worker."""
    port, health_port = any_port(is_free), any_port(is_free)
    own = {"SAGA_VIEWS_PORT": str(port), "SAGA_HTTP_PORT": str(health_port), **SHORT_SESSION, **environment}
    return Worker(fleet.start(name, "services.views", **own), port, health_port)


def make_topics(bootstrap: str) -> None:
    """What the tracker and a first worker would have made."""
    make = TopicFactory(PARTITIONS)
    specs = (*shared_topics(make), make.changelog(CHANGELOG))
    KafkaCluster({"bootstrap.servers": bootstrap}).admin().create_missing(specs)


def state(key: str, revision: int, run: str = "1", **fields: Any) -> SagaState:
    """A saga after so many changes: every second ends its step, every tenth the saga."""
    at = BEGAN + revision * 1000
    is_over = revision % 10 == 0
    done = revision % 2 == 0
    step = StepState("one", StepStatus.DONE if done else StepStatus.QUEUED, 1, since=at)
    known: dict[str, Any] = {
        "status": SagaStatus.COMPLETED if is_over else SagaStatus.RUNNING,
        "started_at": BEGAN,
        "updated_at": at,
        "ended_at": at if is_over else None,
        "steps": (step,),
        **fields,
    }
    number = partition_of(key.encode(), PARTITIONS)
    return SagaState(f"{key}@{run}", "chain", 1, number, revision=revision, **known)


def with_incident(saga: SagaState) -> SagaState:
    """The same, with an open incident."""
    incident = Incident("one/a", "exhausted", "one", "the model is <b>down</b>", saga.updated_at, ("retry", "skip"))
    return msgspec.structs.replace(saga, incidents=(incident,))


def write(producer: Producer, saga: SagaState) -> None:
    """As the tracker does it: by saga id, in the partition of its key."""
    producer.produce(SAGA_STATE, encode(saga), saga.saga_id.encode(), saga.partition)


def publish_states(bootstrap: str, sagas: Iterable[SagaState]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.messages": 500_000})
    for saga in sagas:
        write(producer, saga)
    assert producer.flush(60) == 0


def publish_tombstone(bootstrap: str, saga: SagaState) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(SAGA_STATE, None, saga.saga_id.encode(), saga.partition)
    assert producer.flush(60) == 0


def folded(records: Iterable[Record]) -> dict[bytes, bytes]:
    """What the table should hold: a fold of `saga.state`, by business key."""
    shelves: dict[bytes, Shelf] = {}
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        saga_id = (record.key or b"").decode()
        key = key_of(saga_id).encode()
        arrival = Arrival(saga_id, record.value, record.offset, record.timestamp)
        shelves[key] = fold(shelves.get(key, EMPTY), arrival, {}).shelf
    return {key: encode_value(shelf) for key, shelf in shelves.items() if shelf.sagas}


def on_changelog(records: Iterable[Record]) -> dict[bytes, bytes]:
    """What a worker would restore."""
    found: dict[bytes, bytes] = {}
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        if record.key is not None and record.value is not None:
            found[record.key] = record.value
        elif record.key is not None:
            found.pop(record.key, None)
    return found


TOPICS = (SAGA_STATE, CHANGELOG, SAGA_DEFINITIONS)
