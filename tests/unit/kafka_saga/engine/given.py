"""Values that the engine's unit tests are written with: a step, deliveries, and a processor that accepts everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Step
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.runner import Runner
from kafka_saga.engine.state_store import Store, StoreSpec
from kafka_saga.engine.work import (
    CommitRequest,
    ControlUpdate,
    Delivery,
    Disturbance,
    Ended,
    Fetch,
    Job,
    Kind,
    Mode,
    Result,
    Returned,
    Start,
    Wait,
    Write,
    delivery_of,
)
from kafka_saga.events.event import Event
from kafka_saga.wire.envelope import Envelope


class Happened(Event):
    event_type: ClassVar[str] = "it.happened"


class Done(Event):
    event_type: ClassVar[str] = "it.done"


STEP = Step("do", on=Happened, emits=(Done,))
ENVELOPE = Envelope(id="i", type="it.happened", source="/t", time="", subject="k@r", definition="d", version=1)


def job(mode: Mode) -> Job:
    return Job(STEP, print, mode)


def record(offset: int, key: bytes = b"k", partition: int = 0, topic: str = "it.happened") -> Record:
    return Record(topic, partition, offset, 0, key, b"", [])


def delivery(offset: int, key: bytes = b"k", mode: Mode = Mode.ASYNC, partition: int = 0) -> Delivery:
    return delivery_of(record(offset, key, partition), ENVELOPE, job(mode))


class AcceptAll:
    """A processor to which every record is a delivery, but dead ones (value `dead`)."""

    topics: tuple[str, ...] = ("it.happened",)
    stores: tuple[StoreSpec, ...] = ()

    def __init__(self, mode: Mode = Mode.ASYNC) -> None:
        self._job = job(mode)

    @property
    def roles(self) -> Roles:
        return Roles(self, handlers=self)

    def gone(self) -> None:
        pass

    def on_control(self, record: Record) -> ControlUpdate:
        return ControlUpdate()

    def on_cancel(self, delivery: Delivery) -> Disturbance | None:
        return None

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        return None

    def route(self, record: Record, stores: Mapping[str, Store], now: int) -> Delivery | Ended:
        if record.value == b"dead":
            return Ended(record, Kind.DEAD, [])
        return delivery_of(record, ENVELOPE, self._job)

    def admit(self, delivery: Delivery, stores: Mapping[str, Store], now: int) -> Start | Fetch | Wait | Ended:
        return Start(delivery, Happened())

    def on_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        outgoing = Outgoing("it.done", delivery.record.partition, delivery.record.key, b"", [])
        return Ended(delivery.record, Kind.DONE, [outgoing], job=delivery.job)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        return Ended(ended.record, Kind.FAILED, [], reason=reason, job=ended.job)


RETURNED = Returned(Done())


def pumped(runner: Runner, now: int = 0) -> list[Start]:
    """What starts, once the log has said what has to be said before: that there is work, and what is suspected."""
    starts = runner.pump(now)
    for one in runner.waiting():
        if isinstance(one, CommitRequest):
            runner.on_committed(runner.single(one))
    return [*starts, *runner.pump(now)]
