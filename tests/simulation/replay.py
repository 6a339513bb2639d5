"""The log again: what the tracker's states come to if records are read in another order and rulings are kept.

Between two rulings any order that keeps each topic's own is as good as another; a ruling is applied where the tracker
has made it, after what it had read by then (docs/architecture.md 7, invariant 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.engine.state_store import Change, Store
from kafka_saga.events.lifecycle import Ruling
from kafka_saga.tracker.core.decisions import Decision
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.tracker.lifecycle import Ground
from kafka_saga.tracker.processor import TrackerProcessor


class SilentTracker(TrackerProcessor):
    """A tracker that writes no records of what it decides: only its states are looked at."""

    def _said(
        self, about: SagaState, decisions: Sequence[Decision], issued: int, now: int, ground: Ground
    ) -> list[Outgoing]:
        return []


class Replay:
    """One partition of every input, read again by `tracker`, which has read nothing of that partition yet."""

    def __init__(
        self, tracker: TrackerProcessor, number: int, inputs: Mapping[str, Sequence[Record]], chance: Random
    ) -> None:
        self._tracker = tracker
        self._stores = {spec.topic: Store(spec, number) for spec in self._tracker.stores}
        self._tracker.restored(number, self._stores, 0)
        self._number = number
        self._left = {topic: list(reversed(inputs.get(topic, ()))) for topic in self._tracker.topics}
        self._chance = chance

    def states(self, rulings: Iterable[Ruling]) -> dict[str, bytes]:
        """Every saga's state, encoded, after all records, and all rulings that this partition's lifecycle tells of."""
        done: set[tuple[str, int, int]] = set()
        for ruling in rulings:
            if (ruling.saga_id, ruling.revision, ruling.until) not in done:
                done.add((ruling.saga_id, ruling.revision, ruling.until))
                self._rule(ruling)
        self._read({})
        return {key.decode(): value for key, value in self._stores[SAGA_STATE].committed()}

    def _rule(self, ruled: Ruling) -> None:
        self._read(ruled.read)
        made = self._tracker.rule(self._number, ruled.saga_id, ruled.until, 0)
        self._keep(made.changes if made is not None else ())

    def _read(self, until: Mapping[str, int]) -> None:
        """Read on to these offsets (none given: to the end), topics in any order."""
        while topics := [topic for topic, left in self._left.items() if left and _is_before(left[-1], until)]:
            record = self._left[self._chance.choice(topics)].pop()
            self._keep(self._tracker.route(record, self._stores, 0).changes)

    def _keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            store = self._stores[change.topic]
            store.put(change)
            store.settle(change)


def _is_before(record: Record, until: Mapping[str, int]) -> bool:
    return not until or record.offset < until.get(record.topic, 0)
