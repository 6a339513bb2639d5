"""What records mean to a service: its steps' triggers, the starts of its saga, and what its handlers return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.codec import Codec
from schemas.envelope import Envelope, from_mapping, names_a_saga
from schemas.errors import DecodeError, DecodeProblem, RetryableError, TerminalError
from schemas.event import Event
from schemas.events.reports import REPORTS, StepFailed, StepSkipped
from services.chassis.context import KeyedState
from services.chassis.intake import Intake, is_start
from services.chassis.keyed import Change, Store, StoreSpec
from services.chassis.outgoing import as_events, dead_letter, failed, outcome, skipped
from services.chassis.partitioner import partition_of
from services.chassis.reasons import milliseconds, sound
from services.chassis.records import Outgoing, Record
from services.chassis.work import (
    Delivery,
    Died,
    Ended,
    Job,
    Kind,
    Raised,
    Result,
    Returned,
    Start,
    TimedOut,
    delivery_of,
)
from topology.model import Saga
from topology.topics import state_topic

Stores = Mapping[str, Store]


class StepLogic:
    """The logic of a service with these jobs, in `partitions` partitions."""

    def __init__(
        self, service: str, saga: Saga, jobs: Sequence[Job], partitions: int, *, is_stateful: bool = False
    ) -> None:
        self.service = service
        self.source = f"/services/{service}"
        self.saga = saga
        self._partitions = partitions
        self._jobs = {job.step.on.event_type: job for job in jobs}
        self._codec = Codec((*saga.events.values(), *REPORTS))
        self._intake = Intake(saga, self._codec, partitions, self.source) if self._owns_start(jobs) else None
        self._state = StoreSpec(state_topic(service), bytes, bytes) if is_stateful else None
        self._start_topic = saga.starts_on.event_type
        self.topics: tuple[str, ...] = tuple(self._jobs)
        self.stores = tuple(spec for spec in (self._intake and self._intake.store, self._state) if spec)

    # ---- Logic

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """A delivery, a normalised start, a dead letter, or nothing to do with us."""
        try:
            headers = dict(record.headers)
            if record.topic == self._start_topic and not self._is_normalised(record, headers):
                return self._take_in(record, now)
            envelope = from_mapping(headers)
            self._check(record, envelope)
        except DecodeError as error:
            return self._dead(record, error, now)
        return delivery_of(record, envelope, self._jobs[record.topic])

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Ended:
        """Decode the event; turn away what has started before."""
        try:
            event = self._codec.decode(delivery.record.topic, delivery.record.value, delivery.envelope.content_type)
            if ended := self._turned_away(delivery, event, stores, now):
                return ended
        except DecodeError as error:
            return self._dead(delivery.record, error, now, delivery)
        if self._state is not None:
            delivery.state = KeyedState(stores[self._state.topic].get(delivery.record.key or b""))
        return Start(delivery, event)

    def conclude(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """Outcomes of what was returned, or a failed report."""
        try:
            match result:
                case Returned(value):
                    return self._done(delivery, value, now)
                case Raised(RetryableError() as error):
                    after = milliseconds(error.retry_after)
                    return self._failed(delivery, "retryable", error.reason, now, retry_after_ms=after)
                case Raised(TerminalError() as error):
                    return self._failed(delivery, "terminal", error.reason, now, retryable=False)
                case Raised(error, traceback, kind):
                    reason = f"unexpected {kind or type(error).__name__}: {sound(error)}"
                    return self._failed(delivery, "unexpected", reason, now, traceback=traceback)
                case TimedOut(seconds):
                    return self._failed(delivery, "timeout", f"timeout: no result after {seconds:g} s", now)
                case Died(exitcode):
                    return self._failed(delivery, "crashed", f"the handler's process died with {exitcode}", now)
        except TerminalError as error:
            return self._failed(delivery, "terminal", error.reason, now, retryable=False)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """A failed report where the record belongs to a step, else a dead letter."""
        if ended.job is None:
            return self._dead(ended.record, DecodeError(DecodeProblem.INVALID, "the log", reason), now)
        delivery = delivery_of(ended.record, from_mapping(dict(ended.record.headers)), ended.job)
        return self._failed(delivery, "terminal", f"Kafka does not take the outcome: {reason}", now, retryable=False)

    # ---- routing

    def _owns_start(self, jobs: Sequence[Job]) -> bool:
        """Whether intake is ours: of the steps on the first event, the first one's service owns it."""
        first = next((step for step in self.saga.steps if step.on is self.saga.starts_on), None)
        return any(job.step == first for job in jobs)

    def _is_normalised(self, record: Record, headers: Mapping[str, bytes | None]) -> bool:
        """Whether a start has its envelope, and lies where its key belongs."""
        if not names_a_saga(headers) or record.key is None:
            return False
        subject = headers["ce_subject"] or b""
        is_ours = headers["ce_sagadefinition"] == self.saga.name.encode()
        return is_ours and subject.startswith(record.key + b"@") and self._lies_right(record.key, record.partition)

    def _turned_away(self, delivery: Delivery, event: Event, stores: Stores, now: int) -> Ended | None:
        """A start whose envelope is not what its templates give is raw; one that was seen before is a duplicate."""
        if delivery.record.topic != self._start_topic:
            return None
        if not is_start(self.saga, event, delivery.envelope):
            return self._take_in(delivery.record, now)
        if self._intake is None:
            return None
        if stores[self._intake.store.topic].get(delivery.envelope.subject.encode()) is not None:
            return self._skip(delivery, "duplicate_start", "this saga was started before", now)
        return None

    def _take_in(self, record: Record, now: int) -> Ended:
        if self._intake is None:
            return Ended(record, Kind.IGNORED, [])
        try:
            return Ended(record, Kind.NORMALISED, [self._intake.normalised(record, now)])
        except DecodeError as error:
            return self._dead(record, error, now)

    def _check(self, record: Record, envelope: Envelope) -> None:
        """Raises DecodeError if the record is not where and what its envelope says."""
        if envelope.type != record.topic:
            raise _wrong("ce_type", f"is {envelope.type!r} on topic {record.topic}")
        if envelope.definition != self.saga.name:
            raise _wrong("ce_sagadefinition", f"is {envelope.definition!r}, {record.topic} belongs to {self.saga.name}")
        key = envelope.subject.rpartition("@")[0].encode()
        if record.key != key:
            raise _wrong("ce_subject", f"has the key {key!r}, the record has {record.key!r}")
        if not self._lies_right(key, record.partition):
            right = partition_of(key, self._partitions)
            raise _wrong("partition", f"is {record.partition}, not {key!r}'s {right}: set partitioner=murmur2_random")

    def _lies_right(self, key: bytes, partition: int) -> bool:
        return partition_of(key, self._partitions) == partition

    # ---- ends

    def _done(self, delivery: Delivery, returned: object, now: int) -> Ended:
        outgoing = [
            outcome(delivery, event, self._codec.encode(event), index, self.source, now)
            for index, event in enumerate(self._declared(delivery, as_events(returned)))
        ]
        return self._ended(delivery, Kind.DONE, outgoing, now, changes=self._kept(delivery))

    def _declared(self, delivery: Delivery, events: Sequence[object]) -> list[Event]:
        """The returned events, if the step may emit them. Raises TerminalError that says what was declared."""
        step = delivery.job.step
        declared: tuple[type[Event], ...] = step.emits
        for event in events:
            if type(event) not in declared:
                expected = ", ".join(sorted(kind.event_type for kind in declared)) or "nothing more"
                got = event.event_type if isinstance(event, Event) else type(event).__name__
                raise TerminalError(f"step {step.name} returned {got}; declared: {expected}")
            declared = step.also
        if not events:
            raise TerminalError(f"step {step.name} returned no event; it must return one of its outcomes")
        return [event for event in events if isinstance(event, Event)]

    def _failed(
        self,
        delivery: Delivery,
        code: str,
        reason: str,
        now: int,
        *,
        retryable: bool = True,
        retry_after_ms: int | None = None,
        traceback: str = "",
    ) -> Ended:
        report = StepFailed(
            step=delivery.job.step.name,
            reason=sound(reason),
            code=code,
            retryable=retryable,
            retry_after_ms=retry_after_ms,
            traceback=sound(traceback),
        )
        record = failed(delivery, report, self._codec.encode(report), self.source, now)
        return self._ended(delivery, Kind.FAILED, [record], now, reason=report.reason)

    def _skip(self, delivery: Delivery, code: str, reason: str, now: int) -> Ended:
        report = StepSkipped(step=delivery.job.step.name, reason=reason, code=code)
        record = skipped(delivery, report, self._codec.encode(report), self.source, now)
        return Ended(delivery.record, Kind.SKIPPED, [record], reason=reason, job=delivery.job)

    def _dead(self, record: Record, error: DecodeError, now: int, delivery: Delivery | None = None) -> Ended:
        """A dead letter; if it names a saga, also a failed report, so that the saga does not hang."""
        letter = dead_letter(record, error, self.service)
        known = delivery or self._delivery_named_by(record)
        if known is None:
            return Ended(record, Kind.DEAD, [letter], reason=str(error))
        report = self._failed(known, "undecodable", f"undecodable: {error}", now, retryable=False)
        return Ended(record, Kind.DEAD, [letter, *report.outgoing], report.changes, str(error), known.job)

    def _delivery_named_by(self, record: Record) -> Delivery | None:
        try:
            envelope = from_mapping(dict(record.headers))
            self._check(record, envelope)
        except DecodeError:
            return None
        return delivery_of(record, envelope, self._jobs[record.topic])

    def _ended(
        self,
        delivery: Delivery,
        kind: Kind,
        outgoing: list[Outgoing],
        now: int,
        *,
        reason: str = "",
        changes: tuple[Change, ...] = (),
    ) -> Ended:
        """The end of a delivery; of a start, also the mark by which intake knows it again."""
        if delivery.record.topic == self._start_topic and self._intake is not None:
            changes = (*changes, Change(self._intake.store.topic, delivery.envelope.subject.encode(), now))
        return Ended(delivery.record, kind, outgoing, changes, reason, delivery.job)

    def _kept(self, delivery: Delivery) -> tuple[Change, ...]:
        """What the handler keeps for its key."""
        if self._state is None or delivery.state is None or not delivery.state.changed:
            return ()
        if not isinstance(delivery.state.value, bytes | None):
            raise TerminalError(f"context.state was set to a {type(delivery.state.value).__name__}; set bytes or None")
        return (Change(self._state.topic, delivery.record.key or b"", delivery.state.value),)


def _wrong(where: str, what: str) -> DecodeError:
    return DecodeError(DecodeProblem.WRONG_TYPE, where, what)
