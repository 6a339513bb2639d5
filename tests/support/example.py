"""A saga of two steps whose topics belong to one test, and the records that ask its steps to run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import COMPLETED, FAILED, OnCancel, Saga, Step
from kafka_saga.events.event import Event
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import start_id

PARTITIONS = 4


class Fact(Event):
    """What all events of the example carry."""

    event_type: ClassVar[str]

    key: str
    number: int
    text: str = ""


@dataclass(frozen=True)
class Example:
    """`work` turns started into worked (or refused, and may note something), `finish` turns worked into finished."""

    saga: Saga
    started: type[Fact]
    worked: type[Fact]
    refused: type[Fact]
    noted: type[Fact]
    finished: type[Fact]
    work: str = "work"

    def start(self, key: str, number: int, text: str = "") -> Outgoing:
        """A normalised start: asks `work` to run."""
        return self.event(self.started, key, number, text)

    def work_done(self, key: str, number: int, text: str = "") -> Outgoing:
        """An outcome of `work`: asks `finish` to run."""
        return self.event(self.worked, key, number, text)

    def event(self, kind: type[Fact], key: str, number: int, text: str = "") -> Outgoing:
        """An event in its envelope, in the partition of its key."""
        saga_id = f"{key}@{number}"
        envelope = Envelope(
            id=start_id(saga_id, kind.event_type),
            type=kind.event_type,
            source="/tests",
            time=rfc3339(0),
            subject=saga_id,
            definition=self.saga.name,
            version=self.saga.version,
        )
        value = Codec([kind]).encode(kind(key=key, number=number, text=text))
        where = partition_of(key.encode(), PARTITIONS)
        return Outgoing(kind.event_type, where, key.encode(), value, to_headers(envelope))


FIVE_MINUTES = minutes(5)


def example(
    timeout: timedelta = FIVE_MINUTES,
    work: str = "work",
    *,
    compensates: bool = False,
    on_cancel: OnCancel = OnCancel.FINISH,
) -> Example:
    """An example with events of its own; `timeout` bounds each attempt, the rest is said of its first step, `work`."""
    name = f"example{uuid4().hex[:12]}"
    started, worked, refused, noted, finished = (
        fact(name, what) for what in ("started", "worked", "refused", "noted", "finished")
    )
    saga = Saga(
        name=name,
        version=1,
        starts_on=started,
        key="{key}",
        run="{number}",
        steps=(
            Step(
                work,
                on=started,
                emits=(worked, refused),
                also=(noted,),
                timeout=timeout,
                compensates=compensates,
                on_cancel=on_cancel,
            ),
            Step("finish", on=worked, emits=(finished,), timeout=timeout),
        ),
        ends={refused: FAILED, finished: COMPLETED},
    )
    return Example(saga, started, worked, refused, noted, finished, work)


def commanded(*, compensates: bool = False, on_cancel: OnCancel = OnCancel.FINISH) -> Example:
    """An example whose first step has a name, and so a work topic, of its own."""
    return example(work=f"work{uuid4().hex[:12]}", compensates=compensates, on_cancel=on_cancel)


def fact(prefix: str, what: str) -> type[Fact]:
    """An event type `prefix.what`."""

    class Made(Fact):
        event_type: ClassVar[str] = f"{prefix}.{what}"

    Made.__name__ = what.title()
    return Made


def key_in(partition: int, number: int = 0) -> str:
    """The business key with this number, of those that belong to a partition."""
    found = (key for n in range(1_000_000) if partition_of((key := f"key{n}").encode(), PARTITIONS) == partition)
    for _ in range(number):
        next(found)
    return next(found)
