"""The shell of a service: one group consumer, one transactional producer, one loop around the runner."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster, TransactionAbortedError, TransactionInDoubtError
from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context, KeyedState
from kafka_saga.engine.offset_tracker import KnownOffsets
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.runner import PartitionProgress, Runner
from kafka_saga.engine.work import (
    Batch,
    Cancel,
    Delivery,
    Effect,
    Interrupt,
    Pause,
    Pending,
    Result,
    Resume,
    Start,
    Warn,
)
from kafka_saga.execution.executor import Executor
from kafka_saga.observability.observer import Observer, Rebalance
from kafka_saga.observability.tracing import Tracing
from kafka_saga.steps.reference_reader import ReferenceReader
from kafka_saga.wire.ids import key_of
from kafka_saga.worker.log_clock import LogClock
from kafka_saga.worker.state_restorer import StateRestorer

LOG = logging.getLogger("saga.worker")

SIP = 250
"""Records taken from the client at once, and worked on while they are in the processor's cache."""

MOST_READ = 4_000
"""Records read between two commits; also the most that are read but not taken in."""

BUSY_WAIT = 0.002
"""Seconds to wait for a running handler before looking for records again."""

PROGRESS_INTERVAL = 10.0
"""Seconds between reports of the progress of a handler."""

STEADY_WAIT = 0.02
"""The same, when nothing has come for a while."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a worker is on Kafka: its consumer group, its transactional.id, and its static name if it has one."""

    group: str
    transactional_id: str
    instance: str | None = None


class Worker:
    """Turns the runner's effects into calls and Kafka's answers into the runner's inputs."""

    def __init__(
        self,
        cluster: Cluster,
        identity: Identity,
        roles: Roles,
        executor: Executor,
        clock: Clock,
        blobs: BlobStore,
        observer: Observer,
        max_in_flight: int = 16,
        progress_interval: float = PROGRESS_INTERVAL,
        tracing: Tracing | None = None,
    ) -> None:
        self.tracing = tracing
        self.runner = Runner(roles, max_in_flight, round(progress_interval * 1000))
        self._executor = executor
        self._clock = clock
        self._blobs = blobs
        self._observer = observer
        self._last_abort: str | None = None
        self._known = KnownOffsets()
        self._asks_again = False
        self._quiet_turns = 0
        self._restoring_since: float | None = None
        self._producer = cluster.producer(identity.transactional_id)
        self._restorer = StateRestorer(cluster, self.runner, clock)
        self._references = ReferenceReader(cluster, clock)
        topics, punctuator = roles.processor.topics, roles.punctuator
        self._log_clock = LogClock(cluster, self.runner, topics, punctuator, clock) if punctuator is not None else None
        self._consumer = cluster.consumer(identity.group, topics, self, identity.instance)

    # ---- the loop

    def turn(self, timeout: float) -> None:
        """One round: results in, records in, handlers started, everything that ended committed.

        Waits up to `timeout` seconds for a record when there is nothing to do.
        """
        if self._asks_again:
            self._asks_again = False
            self._consumer.rejoin()
        busy = self.runner.in_flight > 0
        for delivery, result in self._executor.results(self._wait() if busy else 0):
            self._done(delivery, result, self._clock.now())
            self._quiet_turns = 0
        waits = busy or self.runner.has_work or self._restorer.is_running or self._references.is_running
        self._take_in(0 if waits else self._until_due(timeout))
        self._make()
        self._commit()
        self._apply(self.runner.regulate())
        self._observer.turned(self.runner)

    def drain(self, seconds: float) -> None:
        """Take nothing more, give running handlers `seconds`, commit, and leave the group."""
        until = self._clock.monotonic() + seconds
        self._apply(self.runner.on_stop())
        while self.runner.is_draining and self._clock.monotonic() < until:
            self.turn(STEADY_WAIT)
        self._commit()

    def close(self) -> None:
        """Leave the group; what has ended is committed as the partitions go."""
        self._consumer.close()
        self._restorer.close()
        self._references.close()
        self._producer.close()

    def taken_in(self, number: int) -> Mapping[str, int]:
        """How far each topic of a task has been read and taken in."""
        return self.runner.taken_in(number, self._consumer.positions())

    def standing(self) -> list[PartitionProgress]:
        """How far each partition has been taken in, and since when its next record lies there."""
        return self.runner.standing(self._consumer.positions())

    @property
    def is_idle(self) -> bool:
        """Whether a turn that reads nothing does nothing as long as nothing `is_due`."""
        waits = self._asks_again or self._restorer.is_running or self._references.is_running
        return not waits and self.runner.is_idle

    @property
    def is_due(self) -> bool:
        """Whether something is to be done now that no record asks for."""
        return self._log_clock is not None and self._log_clock.is_due

    # ---- the group's listener, called inside poll

    def on_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Look up what is committed, and begin there, paused until the stores are restored."""
        committed = self._consumer.committed(partitions)
        if self._known.is_ahead_of(committed):
            LOG.warning("the group's offsets are older than what was committed here: asking again as a new member")
            self._asks_again, partitions, committed = True, (), {}
        self._apply(self.runner.on_assign({at: committed.get(at) for at in partitions}))
        self._consumer.assign({at: committed[at].offset if at in committed else None for at in partitions})
        self._restorer.begin()
        self._restoring_since = self._clock.monotonic() if self._restorer.is_running else None
        self._observer.rebalanced(Rebalance.ASSIGNED)
        LOG.info("assigned: partitions %s", sorted({at.partition for at in partitions}))

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        """The last moment to commit."""
        self._observer.rebalanced(Rebalance.REVOKED)
        for delivery, result in self._executor.results(0):
            self._done(delivery, result, self._clock.now())
        self._commit(clean=True)
        self.runner.on_revoke()
        self._stop_reading()

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Too late to commit."""
        self._observer.rebalanced(Rebalance.LOST)
        LOG.warning("lost: partitions %s", sorted({at.partition for at in partitions}))
        self._apply(self.runner.on_lost())
        self._stop_reading()

    # ---- inside

    def _take_in(self, timeout: float) -> None:
        """Work on what has been fetched, a sip at a time, up to a bound: it is committed together."""
        self._quiet_turns += 1
        left = MOST_READ
        while left > 0:
            # What is held counts, but the group must be heard: at least one record is asked for.
            limit = min(SIP, max(1, MOST_READ - self.runner.held))
            found = self._read(timeout, limit)
            self._restore()
            self._fetch()
            if self._log_clock is not None:
                self._log_clock.even_out(self._consumer.ended)
            self._work()
            if found < SIP:
                return
            left -= found
            timeout = 0

    def _read(self, timeout: float, limit: int) -> int:
        """Take up to `limit` records from the client; how many there were."""
        records = self._consumer.poll(timeout, limit)
        self.runner.on_records(records)
        if self._log_clock is not None:
            self._log_clock.hear(records)
        if records:
            self._quiet_turns = 0
        return len(records)

    def _stop_reading(self) -> None:
        self._restorer.stop()
        self._references.forget()
        if self._log_clock is not None:
            self._log_clock.forget()

    def _restore(self) -> None:
        """Read on in what has to be known before a task runs."""
        self._apply(self._restorer.advance())
        if self._restoring_since is not None and not self._restorer.is_running:
            self._observer.restored(self._clock.monotonic() - self._restoring_since)
            self._restoring_since = None

    def _fetch(self) -> None:
        """Read on in what commands refer to."""
        self._references.ask(self.runner.fetches())
        for delivery in self._references.advance():
            self.runner.on_fetched(delivery)

    def _make(self) -> None:
        """What is written without a record that asks for it."""
        now = self._clock.now()
        if self.runner.in_flight:
            self.runner.on_tick(now)
        if self._log_clock is not None:
            self._log_clock.advance(self._consumer.positions)
        self.runner.make(now)

    def _until_due(self, timeout: float) -> float:
        return timeout if self._log_clock is None else self._log_clock.wait(timeout)

    def _wait(self) -> float:
        return BUSY_WAIT if self._quiet_turns < 50 else STEADY_WAIT

    def _work(self) -> None:
        """Start what may start, until nothing does; inline handlers end here."""
        now = self._clock.now()
        while starts := self.runner.pump(now):
            for start in starts:
                delivery = start.delivery
                delivery.context = self._context(start, now)
                delivery.began = self._clock.monotonic()
                result = self._run(start, delivery.context)
                if result is not None:
                    self._done(delivery, result, now)

    def _run(self, start: Start, context: Context) -> Result | None:
        if self.tracing is None:
            return self._executor.run(start.delivery, start.event, context)
        with self.tracing.running(start.delivery):
            return self._executor.run(start.delivery, start.event, context)

    def _done(self, delivery: Delivery, result: Result, now: int) -> None:
        """A handler has ended."""
        delivery.took = self._clock.monotonic() - delivery.began
        if self.tracing is not None:
            self.tracing.ended(delivery, result)
        self.runner.on_done(delivery, result, now)

    def _context(self, start: Start, now: int) -> Context:
        delivery, envelope = start.delivery, start.delivery.envelope
        return Context(
            envelope.subject,
            key_of(envelope.subject),
            delivery.job.step.name,
            envelope.attempt,
            envelope.epoch,
            self._blobs,
            delivery.state or KeyedState(),
            envelope.traceparent,
            compensating=delivery.command is not None and delivery.command.compensates,
            started_at=now,
        )

    def _apply(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Pause(at):
                    self._consumer.pause([at])
                case Resume(at):
                    self._consumer.resume([at])
                case Cancel(delivery):
                    self._executor.cancel(delivery)
                    if self.tracing is not None:
                        self.tracing.given_up(delivery)
                case Warn(delivery):
                    self._executor.warn(delivery)
                case Interrupt(delivery):
                    self._executor.interrupt(delivery)

    def _commit(self, *, clean: bool = False) -> None:
        batch = self.runner.batch(clean=clean)
        if batch is None:
            return
        try:
            self._transact(batch)
        except TransactionAbortedError as error:
            self._observer.aborted(in_doubt=False)
            self._aborted(batch, error)
        except TransactionInDoubtError as error:
            self._observer.aborted(in_doubt=True)
            LOG.warning("%s: what the group has committed will tell", error)
            if not clean:  # else the partitions are going anyway
                self._consumer.rejoin()
        else:
            self._last_abort = None

    def _transact(self, batch: Batch) -> None:
        began = self._clock.monotonic()
        self._producer.transact(batch.outgoing, batch.offsets, self._consumer.group_metadata())
        self._known.note(batch.offsets)
        self.runner.on_committed(batch)
        seconds = self._clock.monotonic() - began
        self._observer.committed(batch, seconds)
        if self.tracing is not None:
            self.tracing.committed(batch, seconds)

    def _aborted(self, batch: Batch, error: TransactionAbortedError) -> None:
        """Once: the same batch comes again. Twice, for one record's sake: find the one, so that it fails alone."""
        LOG.warning("transaction of %d records rolled back: %s", len(batch.outgoing), error)
        again = str(error)
        if error.of_record and self._last_abort == again:
            self._commit_one_by_one()
            again = ""
        self._last_abort = again

    def _commit_one_by_one(self) -> None:
        """What is not committed here for another reason than itself comes again with the next batch."""
        for one in self.runner.waiting():
            try:
                self._commit_alone(one)
            except TransactionAbortedError as error:
                LOG.warning("%s: rolled back: %s", one.where, error)
                return

    def _commit_alone(self, one: Pending) -> None:
        try:
            self._transact_twice(self.runner.single(one))
        except TransactionAbortedError as error:
            if not error.of_record:
                raise
            LOG.error("%s: %s", one.where, error)
            if (instead := self.runner.refuse(one, str(error), self._clock.now())) is not None:
                self._transact_twice(self.runner.single(instead))

    def _transact_twice(self, batch: Batch) -> None:
        """After a transaction that the broker refused, librdkafka rolls the next one back too (skipped sequence)."""
        try:
            self._transact(batch)
        except TransactionAbortedError as error:
            if error.of_record:
                raise
            self._transact(batch)
