"""Rules about definitions side by side: what must be one definition's own, and what versions must share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from kafka_saga.definition.graph import event_name
from kafka_saga.definition.model import EventType, Saga
from kafka_saga.definition.problem import Code, Problem, of_saga
from kafka_saga.definition.rules.names import colliding, event_classes, saga_topic_names
from kafka_saga.definition.wording import listed


def together(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    """Problems that only show when these definitions run on one Kafka."""
    yield from _same_version(sagas)
    yield from _shared_event_types(sagas)
    yield from _diverging_classes(sagas)
    yield from _shared_steps(sagas)
    yield from _colliding_topics(sagas)


def _same_version(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    for (name, version), count in Counter((saga.name, saga.version) for saga in sagas).items():
        if count > 1:
            what = f"{count} definitions have this name and version"
            yield Problem(Code.DUPLICATE_DEFINITION, f"{name} v{version}", what, "give the newer one the next version")


def _shared_event_types(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    owners: defaultdict[str, dict[str, Saga]] = defaultdict(dict)
    for saga in sagas:
        for event in event_classes(saga):
            owners[event_name(event)].setdefault(saga.name, saga)
    for event_type, sharing in owners.items():
        if len(sharing) > 1:
            place = of_saga(tuple(sharing.values())[-1], f"event {event_type}")
            what = f"{event_type} belongs to {listed(tuple(sharing))}, but an event type belongs to one definition"
            yield Problem(Code.SHARED_EVENT_TYPE, place, what, "give one of them an event type of its own")


def _diverging_classes(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    """Versions of one definition may share an event type only as the same class."""
    found: dict[tuple[str, str], EventType] = {}
    for saga in sagas:
        mine = {(saga.name, event_name(event)): event for event in event_classes(saga)}
        for (name, event_type), event in mine.items():
            if found.setdefault((name, event_type), event) is not event:
                what = f"another version of {name} has another class for {event_type}"
                place = of_saga(saga, f"event {event_type}")
                yield Problem(Code.DUPLICATE_EVENT_TYPE, place, what, "use one class in all versions")


def _shared_steps(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    """A step's name is in the names of its topics."""
    owners: defaultdict[str, dict[str, Saga]] = defaultdict(dict)
    for saga in sagas:
        for step in saga.steps:
            owners[step.name].setdefault(saga.name, saga)
    for step_name, sharing in owners.items():
        if len(sharing) > 1:
            place = of_saga(tuple(sharing.values())[-1], f"step {step_name!r}")
            what = f"{listed(tuple(sharing))} both have this step, so both would use the topic {step_name}.work"
            yield Problem(Code.SHARED_STEP, place, what, "rename one of the steps")


def _colliding_topics(sagas: tuple[Saga, ...]) -> Iterator[Problem]:
    """Collisions inside one definition are told by its own rules."""
    topics = {id(saga): frozenset(saga_topic_names(saga)) for saga in sagas}
    for alike in colliding(name for own in topics.values() for name in sorted(own)):
        if not any(own.issuperset(alike) for own in topics.values()):
            what = f"the topics {listed(alike)} differ only by '.' and '_', which Kafka refuses"
            yield Problem(Code.TOPICS_COLLIDE, "all definitions", what, "rename one of them")
