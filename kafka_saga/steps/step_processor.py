"""What records mean to a service: its steps' triggers and commands, the starts of its saga, and what control gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from kafka_saga.broker.records import Record
from kafka_saga.definition.model import OnCancel, Saga
from kafka_saga.definition.topics import state_topic
from kafka_saga.engine.context import KeyedState
from kafka_saga.engine.processor import Roles, Stores
from kafka_saga.engine.state_store import StoreSpec
from kafka_saga.engine.work import (
    ControlUpdate,
    Delivery,
    Disturbance,
    Ended,
    Fetch,
    Interrupt,
    Job,
    Kind,
    Missing,
    Result,
    Start,
    Wait,
    Warn,
    Write,
)
from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.events.compensated import compensated_event
from kafka_saga.events.event import Event
from kafka_saga.events.reports import REPORTS
from kafka_saga.steps.control_gates import Control, GateQuestion, Skipped, Verdict, standing_still, verdict
from kafka_saga.steps.definition_registry import Triggers
from kafka_saga.steps.deliveries import Deliveries
from kafka_saga.steps.intake import Intake, is_start
from kafka_saga.steps.outcomes import Outcomes
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import of_service
from kafka_saga.wire.envelope import names_a_saga
from kafka_saga.wire.ids import key_of

ONE_VERSION: Triggers = MappingProxyType({})


class StepProcessor:
    """The processor of a service with these jobs, and these that undo, in `partitions` partitions."""

    def __init__(
        self,
        service: str,
        saga: Saga,
        jobs: Sequence[Job],
        partitions: int,
        *,
        undoing: Sequence[Job] = (),
        is_stateful: bool = False,
        versions: Triggers = ONE_VERSION,
    ) -> None:
        self.service = service
        self.saga = saga
        self._versions = versions
        self._deliveries = Deliveries(saga, jobs, undoing, partitions)
        self._codec = _codec_of((*saga.events.values(), *REPORTS, *_ends_of(undoing)))
        self.source = f"/services/{service}"
        self._intake = Intake(saga, self._codec, partitions, self.source) if self._owns_start(jobs) else None
        self._state = StoreSpec(state_topic(service), bytes, bytes) if is_stateful else None
        self._start_topic = saga.starts_on.event_type
        marks = self._intake.store if self._intake else None
        self._ends = Outcomes(service, self._codec, self._start_topic, marks, self._state)
        self._control = Control()
        self._is_still: dict[int, frozenset[str]] = {}
        self.topics = self._deliveries.topics
        self.stores = tuple(spec for spec in (marks, self._state) if spec)

    @property
    def roles(self) -> Roles:
        """What a worker asks it: records, and the handlers of steps."""
        return Roles(self, handlers=self)

    def gone(self) -> None:
        """Control is read anew by whoever comes next."""
        self._control.forget()
        self._is_still.clear()

    # ---- records

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """A delivery, a normalised start, a dead letter, or nothing to do with us."""
        try:
            headers = dict(record.headers)
            if record.topic == self._start_topic and not self._is_normalised(record, headers):
                return self._take_in(record, now)
            return self._delivered(record, headers)
        except DecodeError as error:
            return self._dead(record, error, now)

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Fetch | Wait | Ended:
        """Find and decode the event, turn away what has started before, ask control."""
        if self._is_still and delivery.record.topic in self._is_still.get(delivery.record.partition, ()):
            return Wait()
        if delivery.command is not None and (not_yet := self._without_cause(delivery, now)) is not None:
            return not_yet
        try:
            event = self._event(delivery)
            if ended := self._turned_away(delivery, event, stores, now):
                return ended
            # Not before: a start that is known is no delivery of its own, parked it would be asked for again.
            if self._control.partitions and (ended := self._gated(delivery, now)):
                return ended
        except DecodeError as error:
            return self._dead(delivery.record, error, now, delivery)
        if self._state is not None:
            delivery.state = KeyedState(stores[self._state.topic].get(delivery.record.key or b""))
        return Start(delivery, event)

    def on_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """Outcomes of what was returned, what a compensation ends in, or a report."""
        return self._ends.of_result(delivery, result, now)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """A failed report where the record belongs to a step, else a dead letter."""
        known = self._deliveries.named_by(ended.record) if ended.job is not None else None
        if known is None:
            return self._dead(ended.record, DecodeError(DecodeProblem.INVALID, "the log", reason), now)
        said = f"Kafka does not take the outcome: {reason}"
        instead = self._ends.failed(known, "terminal", said, now, retryable=False)
        instead.took, instead.spans = ended.took, ended.spans
        return instead

    # ---- while handlers run

    def on_control(self, record: Record) -> ControlUpdate:
        """Take control in; the topics of paused steps stand still."""
        self._control.on_control(record)
        entries = self._control.partitions.get(record.partition)
        still = standing_still(entries, self.saga.name, self._deliveries.by_step)
        self._is_still.pop(record.partition, None)
        if still:
            self._is_still[record.partition] = still
        is_ours = record.key == of_service(self.service).encode()
        return ControlUpdate(still, goes_on=is_ours and record.value is not None)

    def on_cancel(self, delivery: Delivery) -> Disturbance | None:
        """Once: what nobody wants any more is interrupted or warned, as its step says. What undoes goes on."""
        found = self._verdict(delivery)
        if not isinstance(found, Skipped) or delivery.disturbed:
            return None
        delivery.disturbed = found.reason
        interrupts = delivery.job.step.on_cancel is OnCancel.INTERRUPT
        return Interrupt(delivery) if interrupts else Warn(delivery)

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        """A report of how far its handler is."""
        return self._ends.progress(delivery, now)

    # ---- control

    def _without_cause(self, delivery: Delivery, now: int) -> Fetch | Ended | None:
        """What is done about a command whose event is not there; none if it is."""
        if delivery.cause is None:
            return self._gated(delivery, now) or Fetch(delivery)
        if (missing := _missing(delivery)) is None:
            return None
        return self._ends.failed(delivery, "missing_reference", missing.reason, now, retryable=not missing.for_good)

    def _gated(self, delivery: Delivery, now: int) -> Ended | None:
        found = self._verdict(delivery)
        return None if found is None else self._ends.gated(delivery, found, now)

    def _verdict(self, delivery: Delivery) -> Verdict | None:
        entries = self._control.partitions.get(delivery.record.partition)
        if entries is None:
            return None
        envelope, command = delivery.envelope, delivery.command
        asked = GateQuestion(envelope.subject, delivery.job.step.name, envelope.epoch)
        if command is not None:
            asked = asked._replace(compensates=command.compensates, revision=command.revision)
        return verdict(entries, asked)

    # ---- events

    def _event(self, delivery: Delivery) -> Event:
        """The event that the handler is given. Raises DecodeError."""
        if isinstance(delivery.cause, Record):
            found = delivery.cause
            content_type = (dict(found.headers).get("content-type") or b"").decode(errors="replace")
            return self._codec.decode(found.topic, found.value, content_type)
        record = delivery.record
        return self._codec.decode(record.topic, record.value, delivery.envelope.content_type)

    def _dead(self, record: Record, error: DecodeError, now: int, delivery: Delivery | None = None) -> Ended:
        return self._ends.dead(record, error, now, delivery or self._deliveries.named_by(record))

    def _delivered(self, record: Record, headers: Mapping[str, bytes | None]) -> Delivery | Ended:
        delivery = self._deliveries.of(record, headers)
        if delivery.envelope.version != self.saga.version and self._is_of_no_step(delivery):
            return Ended(record, Kind.IGNORED, [])
        return delivery

    def _is_of_no_step(self, delivery: Delivery) -> bool:
        """Whether the event of a saga of another version triggers nothing there: this step came later, or has gone."""
        steps = self._versions.get(delivery.envelope.version)
        if steps is None or delivery.command is not None:
            return False
        return (delivery.job.step.name, delivery.record.topic) not in steps

    # ---- starts

    def _owns_start(self, jobs: Sequence[Job]) -> bool:
        """Whether intake is ours: of the steps on the first event, the first one's service owns it."""
        first = next((step for step in self.saga.steps if step.on is self.saga.starts_on), None)
        return any(job.step == first for job in jobs)

    def _is_normalised(self, record: Record, headers: Mapping[str, bytes | None]) -> bool:
        """Whether a start has its envelope, and lies where its key belongs."""
        if not names_a_saga(headers) or record.key is None:
            return False
        subject = (headers["ce_subject"] or b"").decode(errors="replace")
        is_ours = headers["ce_sagadefinition"] == self.saga.name.encode()
        lies_right = self._deliveries.lies_right(record.key, record.partition)
        return is_ours and record.key == key_of(subject).encode() and lies_right

    def _turned_away(self, delivery: Delivery, event: Event, stores: Stores, now: int) -> Ended | None:
        """A start whose envelope is not what its templates give is raw; one that was seen before is a duplicate."""
        if delivery.record.topic != self._start_topic:
            return None
        if not is_start(self.saga, event, delivery.envelope):
            return self._take_in(delivery.record, now)
        if self._intake is None:
            return None
        if stores[self._intake.store.topic].get(delivery.envelope.subject.encode()) is not None:
            return self._ends.duplicate(delivery, now)
        return None

    def _take_in(self, record: Record, now: int) -> Ended:
        if self._intake is None:
            return Ended(record, Kind.IGNORED, [])
        try:
            return Ended(record, Kind.NORMALISED, [self._intake.normalised(record, now)])
        except DecodeError as error:
            return self._dead(record, error, now)


@lru_cache(maxsize=64)
def _codec_of(events: tuple[type[Event], ...]) -> Codec:
    """The codec of these events; a process of many services, as in tests, has one for those that are alike."""
    return Codec(events)


def _ends_of(undoing: Sequence[Job]) -> list[type[Event]]:
    return [compensated_event(job.step.compensated_type) for job in undoing]


def _missing(delivery: Delivery) -> Missing | None:
    """What is wrong with the record that a command refers to; none if it is the one that is meant."""
    match delivery.cause:
        case Missing() as missing:
            return missing
        case Record() as record if dict(record.headers).get("ce_id") != delivery.envelope.id.encode():
            return Missing(f"the record at {record.where} is not the event {delivery.envelope.id}")
        case _:
            return None
