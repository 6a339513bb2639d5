"""The Faust app: `saga.state` in, the table of sagas out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import faust
from faust.types import TP
from faust.types.transports import TransportT
from yarl import URL

from kafka_saga.definition.topics import MAX_MESSAGE_BYTES, SAGA_STATE
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stored_sagas import Arrival, StepOutcome
from kafka_saga.views.stream.security import credentials
from kafka_saga.views.stream.table import CHANGELOG, SagaTable
from kafka_saga.views.stream.transport import CommittedConsumer, SureTransport
from kafka_saga.wire.ids import key_of

LOG = logging.getLogger("saga.views")

GROUP = "saga-views"
"""The consumer group of all workers."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the app reaches Kafka, and how others reach this worker (`url`). Timeouts are in seconds.

    `kafka`: librdkafka properties, of which the addresses and those of security are used.
    """

    kafka: Mapping[str, str]
    url: str
    partitions: int
    session_timeout: float = 10.0
    commit_every: float = 1.0
    group: str = GROUP


class ViewsApp(faust.App):
    """An app on our transport, which says where the workers are and what each of them holds."""

    table: SagaTable

    def __init__(self, *args: Any, positions: Positions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions = positions

    def _new_transport(self) -> TransportT:
        transport = SureTransport(self.conf.broker_consumer, self)
        transport.noted = self._note
        return transport

    def _new_producer_transport(self) -> TransportT:
        return SureTransport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """Tables in memory need no folder, and so no disk."""

    @property
    def ours(self) -> frozenset[int]:
        """The partitions that this worker was given."""
        here = str(self.conf.canonical_url)
        return frozenset(number for number, url in self.owners.items() if url == here)

    @property
    def owners(self) -> dict[int, str]:
        """The address of the worker that each partition was given to, as of the last rebalance."""
        given = self.assignor.changelog_distribution  # type: ignore[attr-defined]
        return {number: url for url, topics in given.items() for number in topics.get(CHANGELOG, ())}

    @property
    def ready(self) -> frozenset[int]:
        """The partitions that this worker answers for: restored, and it is known as of when."""
        self.look()
        return frozenset(number for number in self.table.store.ready if self.positions.as_of(number))

    def look(self) -> None:
        """Take note of which partitions are read to the end."""
        if not isinstance(self._consumer, CommittedConsumer):
            return
        for number in self.table.store.ready:
            reached = self._consumer.reached(TP(SAGA_STATE, number))
            if reached is not None and reached[0]:
                self.positions.read_to_the_end(number, reached[1])

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.positions.begin({tp.partition for tp in assigned if tp.topic == SAGA_STATE})
        await super()._on_partitions_assigned(assigned, generation_id)

    def _note(self, tp: TP, offset: int, at: int) -> None:
        if tp.topic == SAGA_STATE:
            self.positions.fetched(tp.partition, offset, at)


def make_app(wiring: Wiring, holdings: PartitionTables, positions: Positions, die: Callable[[], object]) -> ViewsApp:
    """The app of one worker; to be called inside the loop it runs in.

    `die` ends the process at once: it is called for a programming error, since Faust would commit past the record.
    """
    app = ViewsApp(
        wiring.group,
        positions=positions,
        broker=[URL(f"kafka://{server.strip()}") for server in wiring.kafka["bootstrap.servers"].split(",")],
        broker_credentials=credentials(wiring.kafka),
        processing_guarantee="at_least_once",
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        canonical_url=URL(wiring.url),
        topic_partitions=wiring.partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=wiring.session_timeout,
        broker_heartbeat_interval=wiring.session_timeout / 4,
        broker_rebalance_timeout=max(30.0, wiring.session_timeout),
        broker_request_timeout=max(30.0, wiring.session_timeout),
        broker_commit_interval=wiring.commit_every,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        producer_compression_type=None,
        stream_wait_empty=False,
        stream_buffer_maxsize=1024,
    )
    app.table = SagaTable(app, holdings, wiring.partitions)
    app.tables.add(app.table)
    states = app.topic(
        SAGA_STATE, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", allow_empty=True
    )
    folding = Folding(app, holdings, die)

    @app.agent(states, name="fold")
    async def fold(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            folding.take(event)

    return app


class Folding:
    """Takes each record into the table. What cannot be read is left out; what cannot happen ends the process."""

    def __init__(self, app: ViewsApp, holdings: PartitionTables, die: Callable[[], object]) -> None:
        self._app = app
        self._holdings = holdings
        self._die = die

    def take(self, event: faust.EventT[Any]) -> None:
        """Fold a record. Does not raise: Faust acknowledges the record of an agent that does.

        One that was read before its partition went to another is left to that one: here nobody would ever let go of it.
        """
        message = event.message
        if message.partition not in self._app.table.store.ours:
            return
        try:
            self._take(message.partition, message.offset, round(message.timestamp * 1000), message.key, message.value)
        except Exception:
            LOG.exception("%s[%d]@%d could not be folded: stopping before it is lost", *message.tp, message.offset)
            self._die()

    def _take(self, partition: int, offset: int, at: int, key: bytes | None, value: bytes | None) -> None:
        saga_id = (key or b"").decode("utf-8", "replace")
        business = key_of(saga_id).encode()
        folded, written = self._holdings.fold(partition, business, Arrival(saga_id, value, offset, at))
        if folded.outcome in {StepOutcome.CHANGED, StepOutcome.GONE}:
            if written is not None:
                self._app.table[business] = written
            else:
                del self._app.table[business]
        self._app.positions.folded(partition, offset)
