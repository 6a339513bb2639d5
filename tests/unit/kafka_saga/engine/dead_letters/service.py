"""The two services that the corpus is thrown at, in memory: one owns the start of code review, one an inner step."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import topics
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.engine.work import Delivery, Result
from kafka_saga.events.blob import BlobRef
from kafka_saga.events.event import Event
from kafka_saga.execution.inline import run_inline
from kafka_saga.observability.observer import Silent
from kafka_saga.worker.service import Service
from kafka_saga.worker.worker import Identity, Worker
from schemas.events.code_review import AstCompleted, PrReceived, PrValidated
from tests.unit.kafka_saga.engine.dead_letters import examples
from topology.code_review import CODE_REVIEW

PARTITIONS = 4


def validate(event: PrReceived, _: Context) -> PrValidated:
    pull_request = event.model_dump(exclude={"source"})
    return PrValidated.model_validate({**examples.VALIDATED.model_dump(), "pull_request": pull_request})


def parse(event: PrValidated, _: Context) -> AstCompleted:
    return AstCompleted(
        pull_request=event.pull_request,
        config=event.config,
        changes=event.changes,
        analysis=BlobRef(sha256="d" * 64, size=1),
        files=(),
    )


class InlineExecutor:
    """Runs plain handlers where they are called."""

    def run(self, delivery: Delivery, event: Event, context: Context) -> Result | None:
        return run_inline(delivery.job.handler, event, context)

    def cancel(self, delivery: Delivery) -> None:
        """Nothing runs elsewhere."""

    def interrupt(self, delivery: Delivery) -> None:
        """Nothing runs elsewhere."""

    def warn(self, delivery: Delivery) -> None:
        """Nothing runs elsewhere."""

    def results(self, timeout: float) -> Iterable[tuple[Delivery, Result]]:
        return ()

    def close(self) -> None:
        """Nothing to stop."""


class InMemory:
    """One service on a log in memory."""

    def __init__(self, blobs: Path, *, is_inner: bool) -> None:
        self.cluster = MemoryCluster()
        self.cluster.admin().create_missing(topics(CODE_REVIEW, PARTITIONS))
        service = Service("ast", {CODE_REVIEW: {"ast": parse}}) if is_inner else _validator()
        self.worker = Worker(
            self.cluster,
            Identity(service.name, f"{service.name}-1"),
            service.roles(PARTITIONS),
            InlineExecutor(),
            self.cluster.clock,
            BlobStore(str(blobs)),
            Silent(),
        )

    def write(self, topic: str, partition: int, record: Outgoing) -> Record:
        """Put a record on the log."""
        return self.cluster.partition(TopicPartition(topic, partition)).append(record, self.cluster.clock.now())

    def run(self) -> None:
        """Take turns until three in a row have found nothing to do."""
        quiet = 0
        while quiet < 3:
            before = self._ends()
            self.worker.turn(0)
            is_quiet = before == self._ends() and not self.worker.runner.has_work
            quiet = quiet + 1 if is_quiet else 0

    def _ends(self) -> list[int]:
        return [partition.end for partitions in self.cluster.topics.values() for partition in partitions]


def _validator() -> Service:
    return Service("validator", {CODE_REVIEW: {"validate": validate}})
