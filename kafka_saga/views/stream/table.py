"""Faust's table of sagas by key, whose values the worker's partition tables keep, partition by partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import faust
from faust.stores.memory import Store
from faust.streams import current_event
from faust.tables.table import Table
from faust.types import TP, AppT, EventT, StoreT
from yarl import URL

from kafka_saga.definition.topics import state_topic
from kafka_saga.views.partition_tables import PartitionTables

CHANGELOG = state_topic("views")
NAME = "sagas"


class HeldStore(Store[bytes, bytes]):
    """Where the table's values are: Faust's own memory store keeps those of partitions that went to other workers."""

    def __init__(self, *args: Any, holdings: PartitionTables, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._holdings = holdings
        self._applied: dict[int, int] = {}
        self.ours: frozenset[int] = frozenset()
        self.ready: frozenset[int] = frozenset()

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._holdings.put(_partition(), key, value)

    def __delitem__(self, key: bytes) -> None:
        self._holdings.put(_partition(), key, None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def __len__(self) -> int:
        return len(self._holdings)

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Take values from the changelog."""
        for event in batch:
            message = event.message
            if message.partition not in self.ours:  # it was read before the partition went to another
                continue
            if isinstance(message.key, bytes):
                self._holdings.restore(message.partition, message.key, message.value)
            self.set_persisted_offset(message.tp, message.offset)

    @property
    def applied(self) -> dict[int, int]:
        """Up to where the changelog is known, by partition."""
        return dict(self._applied)

    def persisted_offset(self, tp: TP) -> int | None:
        """Up to where the changelog is known: a partition that stays is not read again at each rebalance."""
        return self._applied.get(tp.partition)

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """The broker has what this worker wrote."""
        if tp.topic == CHANGELOG:
            self._applied[tp.partition] = max(offset, self._applied.get(tp.partition, -1))

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Let go of what is somebody else's; what is new has to be restored before it is shown."""
        self.ours = frozenset(tp.partition for tp in assigned if tp.topic == CHANGELOG)
        gone = (self._applied.keys() | self._holdings.partitions) - self.ours
        self.ready &= self.ours - {tp.partition for tp in newly_assigned if tp.topic == CHANGELOG}
        self._holdings.forget(gone)
        for number in gone:
            self._applied.pop(number, None)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Everything is restored."""
        self.ready = frozenset(tp.partition for tp in active_tps)


class SagaTable(Table[bytes, bytes]):
    """The sagas of each business key; partitioned as `saga.state` is, which it is made of."""

    def __init__(self, app: AppT, holdings: PartitionTables, partitions: int) -> None:
        super().__init__(
            app, name=NAME, key_type=bytes, value_type=bytes, partitions=partitions, beacon=app.tables.beacon
        )
        self.store = HeldStore(URL("memory://"), app, self, holdings=holdings, key_type=bytes, value_type=bytes)

    def _new_store(self) -> StoreT[bytes, bytes]:
        return self.store

    def _changelog_topic_name(self) -> str:
        return CHANGELOG


def _partition() -> int:
    event = current_event()
    if event is None:
        raise faust.exceptions.FaustError("a table is written outside of a stream")
    return event.message.partition
