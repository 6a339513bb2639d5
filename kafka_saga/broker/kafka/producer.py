"""Transactional and plain producers on real Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as Client
from confluent_kafka import TopicPartition as Place

from kafka_saga.broker.kafka.errors import LOG, OURS, Means, error_of, meaning, note
from kafka_saga.broker.kafka.messages import as_record
from kafka_saga.broker.port import FencedError, TransactionAbortedError, TransactionInDoubtError
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.definition.topics import MAX_DEAD_LETTER_BYTES
from kafka_saga.errors import UnavailableError

CALL = 5.0
"""Seconds that one call to the coordinator may take before it is made again."""

HUNG = 8.0
"""Seconds after which a call that does not end is taken to hang: its client has lost its coordinator for good."""

PATIENCE = 120.0
"""Seconds after which a coordinator that does not answer even a new client ends the process."""

WRITING = {
    "partitioner": "murmur2_random",
    "compression.type": "lz4",
    "linger.ms": 0,
    "message.max.bytes": MAX_DEAD_LETTER_BYTES,
    "error_cb": note,
}
# After a commit the broker is still writing markers and answers CONCURRENT_TRANSACTIONS; librdkafka then waits
# retry.backoff.ms, 100 by default: measured 106 ms a transaction, 3.8 ms with 1.
TRANSACTIONS = {"retry.backoff.ms": 1, "retry.backoff.max.ms": 50, "queue.buffering.max.messages": 500_000}


_OF_RECORD = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_RECORD,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.POLICY_VIOLATION,
    }
)


class KafkaProducer:
    """A transactional producer; see `Producer.transact`."""

    def __init__(self, properties: Mapping[str, object], transactional_id: str, transaction_timeout: float) -> None:
        own = {"transactional.id": transactional_id, "transaction.timeout.ms": round(transaction_timeout * 1000)}
        self._config: dict[str, object] = {**WRITING, **TRANSACTIONS, **own, **properties}
        self._is_given_up = False
        self._begin()

    def transact(
        self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object
    ) -> None:
        """As `Producer.transact`."""
        if self._is_given_up:
            self._connect()
        self._rolled_back_on_error(lambda: self._write(outgoing, offsets, group))
        try:
            self._rolled_back_on_error(lambda: self._call(lambda: self._client.commit_transaction(CALL), HUNG))
        except _HungError:
            self._connect()
            raise TransactionInDoubtError("Kafka did not say whether it has committed a transaction") from None

    def _write(self, outgoing: Sequence[Outgoing], offsets: Mapping[TopicPartition, Committed], group: object) -> None:
        """Everything but the commit; a client that hangs is replaced, which rolls back what it has begun.

        Not before the next transaction: who has none, since it is about to stop, does not wait for a lost broker.
        """
        places = [Place(*at, committed.offset, committed.metadata) for at, committed in offsets.items()]
        try:
            self._call(self._client.begin_transaction, HUNG)
            for record in outgoing:
                self._produce(record)
            if places:
                self._call(lambda: self._sending.send(places, group), HUNG)
        except _HungError:
            self._is_given_up = True
            raise TransactionAbortedError("the client did not get through to a coordinator") from None

    def _rolled_back_on_error(self, call: Callable[[], None]) -> None:
        """Make a call; an error of Kafka's rolls the transaction back, and says whether a record was to blame."""
        try:
            call()
        except KafkaException as raised:
            self._abort()
            error = error_of(raised)
            if error.code() in _OF_RECORD:
                # the whole text numbers the batch, so it differs each time; the worker compares the reasons
                raise TransactionAbortedError(KafkaError(error.code()).str(), of_record=True) from None
            raise TransactionAbortedError(error.str()) from None

    def close(self) -> None:
        """As `Producer.close`."""
        self._sending.close()
        self._client.flush(0)

    def _connect(self) -> None:
        """A new client; what its predecessor has left open is aborted, and whatever that one still sends is refused."""
        self._sending.close()
        self._begin()
        self._is_given_up = False

    def _begin(self) -> None:
        self._client = Client(self._config, logger=LOG)
        self._sending = _Sending(self._client)
        try:
            self._call(lambda: self._client.init_transactions(CALL), PATIENCE)
        except _HungError:
            raise UnavailableError(f"Kafka's transaction coordinator does not answer for {PATIENCE:g} s") from None

    def _produce(self, record: Outgoing) -> None:
        while True:
            try:
                self._client.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    headers=record.headers,  # type: ignore[arg-type]
                )
            except BufferError:
                self._client.poll(0.1)
            else:
                return

    def _abort(self) -> None:
        try:
            self._call(lambda: self._client.abort_transaction(CALL), HUNG)
        except _HungError:
            self._connect()
        except KafkaException as raised:
            raise FencedError(f"a transaction could not be rolled back: {error_of(raised).str()}") from None

    def _call(self, call: Callable[[], object], patience: float) -> None:
        """Make a call until it is done.

        Raises KafkaException to roll back, FencedError to exit, _HungError if there is no end after `patience` seconds.
        """
        until = time.monotonic() + patience
        while True:
            try:
                call()
            except KafkaException as raised:
                error = error_of(raised)
                match meaning(error):
                    case Means.ABORT:
                        raise
                    case Means.EXIT:
                        raise FencedError(f"the producer cannot go on: {error.str()}") from None
                    case Means.AGAIN if time.monotonic() > until:
                        OURS.warning("no end of a transaction's call: %s; going on with a new producer", error.str())
                        raise _HungError from None
            else:
                return


class _HungError(Exception):
    """A call to librdkafka does not come back."""


class _Sending:
    """Adds offsets to transactions, in a thread that can be left behind together with its client.

    librdkafka ignores the timeout of this one call, and may wait for ever for a coordinator that has been away (its
    issues 5456 and 5511).
    """

    def __init__(self, client: Client) -> None:
        self._asked: SimpleQueue[tuple[list[Place], object] | None] = SimpleQueue()
        self._answers: SimpleQueue[BaseException | None] = SimpleQueue()
        Thread(target=_send, args=(client, self._asked, self._answers), daemon=True, name="offsets").start()

    def send(self, places: list[Place], group: object) -> None:
        """Raises what the client raises, or _HungError if it does not come back: it is of no use any more."""
        self._asked.put((places, group))
        try:
            error = self._answers.get(timeout=HUNG)
        except Empty:
            OURS.warning("no word from the group's coordinator for %g s: going on with a new producer", HUNG)
            raise _HungError from None
        if error is not None:
            raise error

    def close(self) -> None:
        """End the thread, as soon as it is free."""
        self._asked.put(None)


def _send(
    client: Client, asked: SimpleQueue[tuple[list[Place], object] | None], answers: SimpleQueue[BaseException | None]
) -> None:
    while (question := asked.get()) is not None:
        places, group = question
        try:
            client.send_offsets_to_transaction(places, group, CALL)
        except BaseException as error:  # raised again by whoever asked
            answers.put(error)
        else:
            answers.put(None)


class KafkaPublisher:
    """A plain idempotent producer; see `Publisher`."""

    def __init__(self, properties: Mapping[str, object], patience: float = 10.0) -> None:
        own = {"enable.idempotence": True, "message.timeout.ms": round(patience * 1000)}
        self._client = Client({**WRITING, **own, **properties}, logger=LOG)
        self._patience = patience

    def publish(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Record:
        """As `Publisher.publish`. Raises UnavailableError if Kafka does not take it."""
        done: list[tuple[KafkaError | None, Message]] = []
        self._client.produce(topic, value, key, headers=headers, on_delivery=lambda e, m: done.append((e, m)))  # type: ignore[arg-type]
        self._client.flush(self._patience + 1)
        if not done:
            raise UnavailableError(f"Kafka did not confirm a record for {topic} within {self._patience:g} s")
        error, message = done[0]
        if error is not None:
            raise UnavailableError(f"Kafka did not take a record for {topic}: {error.str()}")
        return as_record(message)

    def close(self) -> None:
        """As `Publisher.close`."""
        self._client.flush(self._patience)
