"""What the systems are given: normalised starts, as intake writes them, all of one size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.engine.outgoing import outcome
from kafka_saga.engine.work import Delivery, Job, Mode
from kafka_saga.steps.intake import Intake
from kafka_saga.steps.step_processor import StepProcessor
from kafka_saga.wire.codec import Codec
from tests.bench.flat import now
from tests.bench.systems import PARTITIONS, System
from tests.chain.definition import CHAIN, ChainStarted
from tests.chain.handlers import HANDLERS

TEXT = "A sentence of the length that a title with a short description has, so that values look like real ones. " * 2

CODEC = Codec(CHAIN.events.values())

_INTAKE = Intake(CHAIN, CODEC, PARTITIONS, "/services/chain-one")


def start(serial: int) -> Outgoing:
    """The normalised start of one saga; every saga has a business key of its own."""
    fields = {"name": f"acme/shop-{serial:07d}", "number": 1, "text": TEXT}
    raw = Record(ChainStarted.event_type, 0, serial, 0, None, json.dumps(fields).encode(), [])
    return _INTAKE.normalised(raw, now())


def starts(system: System, first: int, count: int) -> list[Outgoing]:
    """So many starts for a system; the bare one gets copies of one record with the headers of an outcome."""
    made = _copies(first, count) if system.name == "bare" else map(start, range(first, first + count))
    return [Outgoing(system.prefix + s.topic, s.partition, s.key, s.value, s.headers) for s in made]


def job(step: str) -> Job:
    """One step with its handler."""
    return Job(CHAIN.steps_by_name[step], HANDLERS[step], Mode.INLINE)


@cache
def logic(step: str) -> StepProcessor:
    """The processor of one step's service."""
    return StepProcessor(f"chain-{step}", CHAIN, [job(step)], PARTITIONS)


def record_of(outgoing: Outgoing, offset: int) -> Record:
    """What a consumer reads of a record."""
    return Record(outgoing.topic, outgoing.partition, offset, now(), outgoing.key, outgoing.value, outgoing.headers)


def after_first_step(start: Outgoing, offset: int = 0) -> Outgoing:
    """The outcome that the first step writes for a start."""
    return after("one", start, offset)


def after(step: str, trigger: Outgoing, offset: int = 0) -> Outgoing:
    """The outcome that a step writes for its trigger."""
    own = logic(step)
    delivery = own.route(record_of(trigger, offset), {}, now())
    assert isinstance(delivery, Delivery)
    event = CHAIN.steps_by_name[step].emits[0].model_validate(CODEC.decode(trigger.topic, trigger.value).model_dump())
    return outcome(delivery, event, CODEC.encode(event), 0, own.source, now())


def _copies(first: int, count: int) -> Iterator[Outgoing]:
    template = after_first_step(start(first))
    for serial in range(first, first + count):
        key = b"acme/shop-%07d" % serial
        yield Outgoing(ChainStarted.event_type, serial % PARTITIONS, key, template.value, template.headers)
