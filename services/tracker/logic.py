"""The tracker as a logic of the chassis: records in, `saga.state` and `saga.lifecycle` out, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.errors import TopologyError
from services.chassis.keyed import Change, Store, StoreSpec
from services.chassis.records import Record
from services.chassis.work import Delivery, Ended, Kind, Result, Start
from services.tracker.core.facts import fact_of
from services.tracker.core.fold import fold
from services.tracker.core.state import decode, encode
from services.tracker.lifecycle import record as lifecycle_record
from topology.lint import check_all
from topology.model import Saga
from topology.topics import SAGA_STATE, SAGA_STEPS

NO_HANDLERS = "the tracker runs no handlers"


class TrackerLogic:
    """Follows the sagas of these definitions. Raises TopologyError if they do not go together."""

    def __init__(self, definitions: Sequence[Saga]) -> None:
        check_all(definitions)
        self._by_name = {saga.name: saga for saga in definitions}
        events = dict.fromkeys(event for saga in definitions for event in saga.events)
        self.topics: tuple[str, ...] = (*events, SAGA_STEPS)
        self.stores: tuple[StoreSpec, ...] = (StoreSpec(SAGA_STATE, encode, decode),)

    def route(self, record: Record, stores: Mapping[str, Store], now: int) -> Ended:
        """Fold a record into its saga; what names none of ours is for the services to judge."""
        fact = fact_of(
            record.topic, record.partition, record.offset, record.timestamp, record.key, dict(record.headers)
        )
        definition = self._by_name.get(fact.envelope.definition) if fact is not None else None
        if fact is None or definition is None:
            return Ended(record, Kind.IGNORED, [])
        key = fact.envelope.subject.encode()
        state, decisions = fold(stores[SAGA_STATE].get(key), fact, definition)
        outgoing = [lifecycle_record(state, decision, now) for decision in decisions]
        return Ended(record, Kind.DONE, outgoing, (Change(SAGA_STATE, key, state),))

    def admit(self, delivery: Delivery, stores: Mapping[str, Store], now: int) -> Start | Ended:
        """Never asked: the tracker starts nothing."""
        raise TopologyError(NO_HANDLERS)

    def conclude(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """Never asked: the tracker starts nothing."""
        raise TopologyError(NO_HANDLERS)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """What Kafka does not take of one saga must not hold up the others: its record is passed over, and logged."""
        return Ended(ended.record, Kind.IGNORED, [], reason=reason)
