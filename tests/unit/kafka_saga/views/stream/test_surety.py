"""What must not be lost: a record whose folding fails stops the process, and a failed changelog stops the offsets."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.exceptions import ProducerSendError
from faust.types import TP
from faust.types.tuples import FutureMessage
from yarl import URL

from kafka_saga.errors import TopologyError
from kafka_saga.tracker.core.state import SagaState, encode
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stored_sagas import EMPTY, Arrival, fold
from kafka_saga.views.stored_sagas import encode as encode_value
from kafka_saga.views.stream.app import Folding, ViewsApp
from kafka_saga.views.stream.security import credentials
from kafka_saga.views.stream.table import CHANGELOG, HeldStore
from kafka_saga.views.stream.transport import MOST_UNSENT, SureBuffer
from tests.unit.kafka_saga.views.given import saga


class Broken(PartitionTables):
    """PartitionTables with a programming error."""

    def fold(self, *_: Any) -> Any:
        raise ZeroDivisionError("a mistake of ours")


def event(key: bytes, value: bytes | None) -> Any:
    tp = SimpleNamespace(topic="saga.state", partition=0)
    message = SimpleNamespace(tp=("saga.state", 0), topic=tp.topic, partition=0, offset=7, timestamp=1.0)
    message.key, message.value = key, value
    return SimpleNamespace(message=message)


class Values(dict[bytes, bytes]):
    """The values of a table, in a worker that has these partitions."""

    store = SimpleNamespace(ours=frozenset({0}))


def folding(holdings: PartitionTables, died: list[bool]) -> tuple[Folding, dict[bytes, bytes]]:
    table = Values()
    app = cast(ViewsApp, SimpleNamespace(table=table, positions=Positions()))
    return Folding(app, holdings, lambda: died.append(True)), table


def test_a_mistake_of_ours_stops_the_process_and_does_not_reach_faust(caplog: pytest.LogCaptureFixture) -> None:
    died: list[bool] = []
    one, _ = folding(Broken({}), died)
    with caplog.at_level(logging.ERROR):
        one.take(event(b"k@1", encode(saga("k@1"))))
    assert died == [True]
    assert "saga.state[0]@7" in caplog.text


def test_a_record_whose_partition_has_gone_to_another_worker_is_left_to_that_one() -> None:
    """Else its saga would be in the lists of both, and counted twice."""
    one, table = folding(PartitionTables({}), [])
    late = event(b"k@1", encode(saga("k@1")))
    late.message.partition = 1
    one.take(late)
    assert table == {}
    one.take(event(b"k@1", encode(saga("k@1"))))
    assert [*table] == [b"k"]


def test_a_value_whose_partition_has_gone_to_another_worker_is_not_restored() -> None:
    holdings = PartitionTables({})
    app = SimpleNamespace(loop=None, conf=None)
    store = HeldStore(URL("memory://"), cast(Any, app), cast(Any, None), table_name="sagas", holdings=holdings)
    restored = event(b"k", written(saga("k@1")))
    restored.message.tp = TP(CHANGELOG, 0)

    async def go() -> None:
        for here in ({1}, {0, 1}):
            await store.on_rebalance({TP(CHANGELOG, number) for number in here}, set(), set())
            store.apply_changelog_batch([restored], bytes, bytes)
            assert (0 in holdings.partitions) is (0 in here)

    asyncio.run(go())


def written(state: SagaState) -> bytes:
    """The value of a key that has this saga."""
    arrival = Arrival(state.saga_id, encode(state), 0, 0)
    return encode_value(fold(EMPTY, arrival, {}).shelf)


def test_a_record_that_cannot_be_read_stops_nothing() -> None:
    died: list[bool] = []
    one, table = folding(PartitionTables({}), died)
    for key, value in ((b"k@1", b"no json"), (b"\xff", b"{}"), (b"", b""), (b"k@1", None)):
        one.take(event(key, value))
    assert (died, table) == ([], {})


def test_a_state_goes_to_the_table_under_its_business_key() -> None:
    one, table = folding(PartitionTables({}), [])
    one.take(event(b"k@1", encode(saga("k@1"))))
    assert list(table) == [b"k"]


def buffer() -> SureBuffer:
    found = SureBuffer()
    found.app = cast(Any, SimpleNamespace(conf=SimpleNamespace(producer_threaded=False)))
    return found


def sent(number: int) -> list[FutureMessage]:
    return [FutureMessage(cast(Any, SimpleNamespace())) for _ in range(number)]


def test_a_flush_ends_when_the_broker_has_the_last_record() -> None:
    async def scenario() -> None:
        one, records = buffer(), sent(3)
        for record in records:
            one.put(record)
        flush = asyncio.ensure_future(one.flush())
        for record in records:
            assert not flush.done()
            record.set_result(cast(Any, None))
            await asyncio.sleep(0)
        await asyncio.wait_for(flush, 5)
        assert one.unsent == 0

    asyncio.run(scenario())


def test_a_record_that_the_broker_will_never_have_fails_every_flush() -> None:
    async def scenario() -> None:
        one, records = buffer(), sent(2)
        for record in records:
            one.put(record)
        records[0].set_exception(OSError("too large"))
        records[1].set_result(cast(Any, None))
        for _ in range(2):
            with pytest.raises(ProducerSendError, match="too large"):
                await one.flush()

    asyncio.run(scenario())


def test_reading_waits_while_too_much_is_on_its_way() -> None:
    async def scenario() -> None:
        one, records = buffer(), sent(MOST_UNSENT + 1)
        for record in records:
            one.put(record)
        ebb = asyncio.ensure_future(one.wait_until_ebb())
        await asyncio.sleep(0)
        assert not ebb.done()
        for record in records[: MOST_UNSENT // 2 + 1]:
            record.set_result(cast(Any, None))
        await asyncio.wait_for(ebb, 5)

    asyncio.run(scenario())


def test_security_is_what_librdkafka_is_told() -> None:
    assert credentials({"bootstrap.servers": "x"}) is None
    sasl = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "me"}
    found = credentials(sasl)
    assert found is not None
    assert (found.protocol.value, getattr(found, "mechanism").value) == ("SASL_SSL", "SCRAM-SHA-512")  # noqa: B009
    with pytest.raises(TopologyError, match="kerberos"):
        credentials({"security.protocol": "KERBEROS"})
