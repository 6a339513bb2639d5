"""The small saga that the findings are shown on, and what a test needs to put records on the log and read them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Headers, Outgoing, Record, TopicPartition
from kafka_saga.definition.durations import hours
from kafka_saga.definition.model import COMPLETED, Saga, Step
from kafka_saga.definition.topics import SAGA_CONTROL, SAGA_LIFECYCLE
from kafka_saga.engine.context import Context
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import LIFECYCLE, Lifecycle
from kafka_saga.testing.kit import SagaTest
from kafka_saga.testing.system import System
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, to_headers
from kafka_saga.wire.ids import key_of
from kafka_saga.worker.service import Handler, Service


class NotGivenError(Exception):
    """What a scenario begins with is not so: the scenario says nothing about its finding."""


def require(holds: bool, what: str) -> None:
    """What a scenario begins with; unlike an assertion, it cannot be taken for the finding."""
    if not holds:
        raise NotGivenError(what)


class Started(Event):
    event_type: ClassVar[str] = "t.started"

    key: str
    run: str = "1"
    note: str = ""


class A(Started):
    event_type: ClassVar[str] = "t.a"


class B(Started):
    event_type: ClassVar[str] = "t.b"


SAGA = Saga(
    name="t",
    version=1,
    starts_on=Started,
    key="{key}",
    run="{run}",
    steps=(
        Step("one", on=Started, emits=(A,), compensates=True, timeout=hours(3)),
        Step("two", on=A, emits=(B,), timeout=hours(3)),
    ),
    ends={B: COMPLETED},
)


def one(event: Started, _: Context) -> A:
    return A(key=event.key, run=event.run)


def two(event: A, _: Context) -> B:
    return B(key=event.key, run=event.run)


def undo_one(event: A, _: Context) -> str:
    return f"{event.key} is free again"


HANDLERS: Mapping[str, Handler] = {"one": one, "two": two}


def world_of(saga: Saga) -> SagaTest:
    """The kit with the services of both steps and the tracker."""
    return SagaTest(saga, HANDLERS, {"one": undo_one})


class OtherStarted(Event):
    event_type: ClassVar[str] = "u.started"

    key: str
    run: str = "1"


class OtherDone(OtherStarted):
    event_type: ClassVar[str] = "u.done"


OTHER = Saga(
    name="u",
    version=1,
    starts_on=OtherStarted,
    key="{key}",
    run="{run}",
    steps=(Step("only", on=OtherStarted, emits=(OtherDone,)),),
    ends={OtherDone: COMPLETED},
)
"""Another definition, whose starts give the same saga ids as those of SAGA."""


def only(event: OtherStarted, _: Context) -> OtherDone:
    return OtherDone(key=event.key, run=event.run)


def service(step: str, saga: Saga, handler: Handler) -> Service:
    """The service of one step, named by it; the step `one` can be undone."""
    return Service(step, {saga: {step: handler}}, compensations={saga: {"one": undo_one}} if step == "one" else {})


class SlowToReturn:
    """What a poll returns while `topic` is set: nothing of that topic, though it has records."""

    def __init__(self, topic: str | None = None) -> None:
        self.topic = topic

    def __call__(self, partitions: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
        return [(at, limit) for at in partitions if at.topic != self.topic]


class Named(NamedTuple):
    """What the headers of a record that somebody else writes say of its saga and its cause."""

    saga_id: str
    id: str
    cause: str | None = None
    step: str | None = None
    definition: str = "t"


def headers_of(kind: str, named: Named) -> Headers:
    """The envelope of a record that somebody else writes."""
    return to_headers(
        Envelope(
            id=named.id,
            type=kind,
            source="/elsewhere",
            time="",
            subject=named.saga_id,
            definition=named.definition,
            version=1,
            causation_id=named.cause,
            step=named.step,
        )
    )


def write(world: System, outgoing: Outgoing) -> Record:
    """Somebody writes this record, whatever its size."""
    at = TopicPartition(outgoing.topic, outgoing.partition)
    return world.cluster.partition(at).append(outgoing, world.clock.now())


def home(world: System, saga_id: str) -> int:
    """The partition number of a saga."""
    key = key_of(saga_id).encode()
    return partition_of(key, world.cluster.partition_counts()["t.started"])


def write_event(world: System, event: Started, named: Named, *, partition: int | None = None) -> Record:
    """Another program writes an event of a saga, in its partition or in this one."""
    number = home(world, named.saga_id) if partition is None else partition
    key = key_of(named.saga_id).encode()
    value = Codec((type(event),)).encode(event)
    return write(world, Outgoing(event.event_type, number, key, value, headers_of(event.event_type, named)))


def about(records: Iterable[Record], saga_id: str) -> list[Record]:
    """Those records that name this saga."""
    return [record for record in records if ("ce_subject", saga_id.encode()) in record.headers]


def told(world: System, saga_id: str) -> list[Lifecycle]:
    """What the lifecycle tells of a saga, in order."""
    codec = Codec(LIFECYCLE)
    mine = about(world.records(SAGA_LIFECYCLE), saga_id)
    decoded = (codec.decode(header(record, "ce_type"), record.value) for record in mine)
    return [event for event in decoded if isinstance(event, Lifecycle)]


def header(record: Record, name: str) -> str:
    """The text of a header; empty if it is not there."""
    return dict(record.headers).get(name, b"").decode()


def last_of(records: Iterable[Record], key: str) -> Record | None:
    """The last record of a key; `None` if there is none."""
    found = [record for record in records if record.key == key.encode()]
    return found[-1] if found else None


def control_of(world: System, scope: str) -> bytes | None:
    """The entry of `saga.control` that stands for a scope; `None` if there is none or it was taken away."""
    found = last_of(world.records(SAGA_CONTROL), scope)
    return found.value if found is not None else None
