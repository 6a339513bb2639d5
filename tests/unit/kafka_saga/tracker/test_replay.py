from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from random import Random

import pytest

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_LIFECYCLE, SAGA_STATE
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import LIFECYCLE, Ruling
from kafka_saga.testing.kit import SagaTest
from kafka_saga.tracker.core.state import decode
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.wire.codec import Codec
from tests.simulation.replay import Replay

PARTITIONS = 4


@pytest.mark.parametrize("seed", range(10))
def test_records_read_again_in_another_order_come_to_the_same_states(
    seed: int, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGA_ORDER_BOOK", f"{tmp_path}/book.sqlite")
    with SagaTest(ORDER, HANDLERS, COMPENSATIONS) as world:
        lived(world)
        found = {
            record.key.decode(): decode(record.value)
            for record in world.system.records(SAGA_STATE) if record.key and record.value
        }  # fmt: skip
        tracker = TrackerProcessor([ORDER], PARTITIONS)
        for number in range(PARTITIONS):
            inputs = {
                topic: [record for record in world.system.records(topic) if record.partition == number]
                for topic in world.system.cluster.partition_counts()
            }
            again = Replay(tracker, number, inputs, Random(seed)).states(rulings(inputs[SAGA_LIFECYCLE]))
            states = {key: decode(value) for key, value in again.items()}
            assert states == {key: state for key, state in found.items() if state.partition == number}


def rulings(lifecycle: Iterable[Record]) -> Iterator[Ruling]:
    """What the tracker has ruled, in its order."""
    codec = Codec(LIFECYCLE)
    for record in lifecycle:
        event = codec.decode((dict(record.headers)["ce_type"] or b"").decode(), record.value or b"")
        if isinstance(event, Ruling):
            yield event


def lived(world: SagaTest) -> None:
    """Some sagas to which everything happens."""
    world.fail("stock", RetryableError("429"), times=2)
    one = world.given(placed("one"))
    world.advance(minutes=1)
    world.fail("shipping", TerminalError("no"), times=1)
    world.given(placed("two"))
    world.advance(minutes=10)
    world.delay("stock", timedelta(minutes=3), times=1)
    three = world.given(placed("three"))
    world.command(Act.PAUSE, three.saga_id)
    world.advance(minutes=5)
    world.command(Act.RESUME, three.saga_id)
    world.command(Act.CANCEL, one.saga_id)
    world.delay("payment", timedelta(minutes=30), times=1)
    world.given(placed("four"))
    world.advance(hours=1)


def placed(order: str) -> OrderPlaced:
    return OrderPlaced(order_id=order, customer="ann", items=(Item(sku="mug", quantity=1),), amount_cents=100)
