"""The logic of a service of several definitions: each record goes to the processor of the definition it belongs to.

A topic belongs to one definition (`kafka_saga.definition.rules.together`), so it names the processor; only
`saga.control` concerns all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from kafka_saga.broker.records import Record
from kafka_saga.engine.processor import Roles, Stores
from kafka_saga.engine.work import ControlUpdate, Delivery, Disturbance, Ended, Fetch, Result, Start, Wait, Write
from kafka_saga.steps.step_processor import StepProcessor


def roles_of(processors: Sequence[StepProcessor]) -> Roles:
    """The roles of a service with these processors, one for each definition; a single one needs nobody beside it."""
    if len(processors) == 1:
        return processors[0].roles
    together = ServiceProcessor(processors)
    return Roles(together, handlers=together)


class ServiceProcessor:
    """The processors of a service's definitions as one; those of a stateful service share its store."""

    def __init__(self, processors: Sequence[StepProcessor]) -> None:
        self._processors = tuple(processors)
        self._by_topic = {topic: one for one in processors for topic in one.topics}
        self.topics = tuple(self._by_topic)
        self.stores = tuple({spec.topic: spec for one in processors for spec in one.stores}.values())

    def route(self, record: Record, stores: Stores, now: int) -> Delivery | Ended:
        """As `StepProcessor.route`."""
        return self._by_topic[record.topic].route(record, stores, now)

    def admit(self, delivery: Delivery, stores: Stores, now: int) -> Start | Fetch | Wait | Ended:
        """As `StepProcessor.admit`."""
        return self._by_topic[delivery.record.topic].admit(delivery, stores, now)

    def on_result(self, delivery: Delivery, result: Result, now: int) -> Ended:
        """As `StepProcessor.on_result`."""
        return self._by_topic[delivery.record.topic].on_result(delivery, result, now)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """As `StepProcessor.refuse`."""
        return self._by_topic[ended.record.topic].refuse(ended, reason, now)

    def on_control(self, record: Record) -> ControlUpdate:
        """Have every definition take control in; what stands still of any of them."""
        updates = [one.on_control(record) for one in self._processors]
        still = frozenset[str]().union(*(update.still for update in updates))
        return ControlUpdate(still, goes_on=any(update.goes_on for update in updates))

    def on_cancel(self, delivery: Delivery) -> Disturbance | None:
        """As `StepProcessor.on_cancel`."""
        return self._by_topic[delivery.record.topic].on_cancel(delivery)

    def progress(self, delivery: Delivery, now: int) -> Write | None:
        """As `StepProcessor.progress`."""
        return self._by_topic[delivery.record.topic].progress(delivery, now)

    def gone(self) -> None:
        """As `StepProcessor.gone`."""
        for one in self._processors:
            one.gone()
