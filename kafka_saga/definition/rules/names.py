"""Rules about names: sagas, steps, event types, topics, and the templates that name a saga."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from kafka_saga.definition.model import EventType, Saga, Step
from kafka_saga.definition.problem import Code, Problem, of_saga, of_step
from kafka_saga.definition.template import MAX_LENGTH, UNPRINTABLE, Template
from kafka_saga.definition.topics import RESERVED_TOPICS, intake_topic, is_reserved
from kafka_saga.definition.wording import listed
from kafka_saga.errors import TopologyError
from kafka_saga.wire.ids import RUN_SEPARATOR

NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
"""What Kafka allows as a topic's name, besides that it may not be `.` or `..`."""


def names(saga: Saga) -> Iterator[Problem]:
    """Bad and duplicate names, a bad version, event types that cannot be topics."""
    yield from _definition_name(saga)
    yield from _step_names(saga)
    yield from _outcomes(saga)
    yield from _event_types(saga)
    yield from _colliding_topics(saga)


def templates(saga: Saga) -> Iterator[Problem]:
    """Templates that cannot be read, or cannot be rendered from every valid first event."""
    for field, text in (("key", saga.key), ("run", saga.run)):
        place = of_saga(saga, field)
        try:
            parsed = Template(text)
        except TopologyError as error:
            yield Problem(Code.BAD_TEMPLATE, place, str(error).rstrip("."), "use plain fields such as {number}")
            continue
        for what, mend in (*_text_flaws(field, parsed), *parsed.flaws(saga.starts_on)):
            yield Problem(Code.BAD_TEMPLATE, place, what, mend)


def event_classes(saga: Saga) -> tuple[EventType, ...]:
    """Every event class that the definition names, each once, in the order of the diagram."""
    named = (event for step in saga.steps for event in (step.on, *step.emits, *step.also))
    return tuple(dict.fromkeys((saga.starts_on, *named, *saga.ends)))


def type_of(event: EventType) -> str | None:
    """The event type that a class names, if it is one."""
    found: object = getattr(event, "event_type", None)
    return found if isinstance(found, str) else None


def _definition_name(saga: Saga) -> Iterator[Problem]:
    if not NAME.fullmatch(saga.name):
        what = f"{saga.name!r} is no name for a saga"
        yield Problem(Code.BAD_NAME, of_saga(saga, "name"), what, _NAME_MEND)
    if saga.version < 1:
        what = f"the version is {saga.version}"
        yield Problem(Code.BAD_VERSION, of_saga(saga, "version"), what, "count versions from 1")


def _step_names(saga: Saga) -> Iterator[Problem]:
    for step in saga.steps:
        if not NAME.fullmatch(step.name):
            what = f"{step.name!r} is no name for a step"
            yield Problem(Code.BAD_NAME, of_step(saga, step, "name"), what, _NAME_MEND)
    for name, count in Counter(step.name for step in saga.steps).items():
        if count > 1:
            what = f"{count} steps are called {name!r}"
            yield Problem(Code.DUPLICATE_STEP, of_saga(saga, "steps"), what, "give each step a name of its own")


def _outcomes(saga: Saga) -> Iterator[Problem]:
    for step in saga.steps:
        for event, count in Counter((*step.emits, *step.also)).items():
            if count > 1:
                yield _duplicate_outcome(saga, step, event, count)


def _duplicate_outcome(saga: Saga, step: Step, event: EventType, count: int) -> Problem:
    name = type_of(event) or event.__name__
    place = of_step(saga, step, "emits" if event in step.emits else "also")
    if event in step.emits and event in step.also:
        what, mend = f"{name} is both an outcome and a by-product", "keep it in emits or in also, not in both"
    else:
        what, mend = f"{name} is named {count} times", "name it once"
    return Problem(Code.DUPLICATE_OUTCOME, place, what, mend)


def _event_types(saga: Saga) -> Iterator[Problem]:
    classes: defaultdict[str, list[EventType]] = defaultdict(list)
    for event in event_classes(saga):
        name = type_of(event)
        if name is None:
            what = "event_type is missing or is no text"
            mend = 'give the class event_type: ClassVar[str] = "order.placed"'
            yield Problem(Code.BAD_EVENT_TYPE, _of_event(saga, event), what, mend)
        else:
            classes[name].append(event)
            yield from _bad_topic(saga, event, name)
    for name, sharing in classes.items():
        if len(sharing) > 1:
            what = f"the classes {listed(tuple(event.__qualname__ for event in sharing))} have the same event_type"
            mend = "give each event class an event_type of its own"
            yield Problem(Code.DUPLICATE_EVENT_TYPE, of_saga(saga, f"event {name}"), what, mend)


def _bad_topic(saga: Saga, event: EventType, name: str) -> Iterator[Problem]:
    if not TOPIC.fullmatch(name) or name in {".", ".."}:
        what = f"{name!r} is no valid Kafka topic name"
        mend = "use 1 to 249 of a-z A-Z 0-9 . _ -"
        yield Problem(Code.BAD_EVENT_TYPE, _of_event(saga, event), what, mend)
    elif is_reserved(name):
        what = f"{name!r} is reserved for topics that the system makes"
        yield Problem(Code.RESERVED_TOPIC, _of_event(saga, event), what, "choose another event_type")


def _colliding_topics(saga: Saga) -> Iterator[Problem]:
    """Kafka refuses a topic whose name differs from another's only by `.` and `_`."""
    for alike in colliding(saga_topic_names(saga)):
        what = f"the topics {listed(alike)} differ only by '.' and '_', which Kafka refuses"
        yield Problem(Code.TOPICS_COLLIDE, of_saga(saga), what, "rename the event, the step or the saga")


def saga_topic_names(saga: Saga) -> Iterator[str]:
    """Every topic of the definition and the shared ones; event classes without a type are passed over."""
    yield from filter(None, map(type_of, event_classes(saga)))
    for step in saga.steps:
        yield from (step.work_topic, step.compensated_type)
    yield from (intake_topic(saga), *sorted(RESERVED_TOPICS))


def colliding(topics: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Groups of different names that are the same to Kafka's metrics."""
    groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for topic in topics:
        groups[topic.replace(".", "_")][topic] = None
    yield from (tuple(group) for group in groups.values() if len(group) > 1)


def _text_flaws(field: str, parsed: Template) -> Iterator[tuple[str, str]]:
    literal = "".join(part.literal for part in parsed.parts)
    if not parsed.text.strip():
        yield "the template is empty", "name a field of the first event, as in {number}"
    elif field == "key" and not parsed.fields:
        yield "the key names no field, so all sagas would have the same", "name a field, as in {number}"
    if UNPRINTABLE.search(literal):
        yield "the template holds a control character", "take it out"
    if field == "run" and RUN_SEPARATOR in literal:
        yield "the run holds an '@', which parts key and run", "take it out"
    if len(literal) >= MAX_LENGTH:
        yield f"the template is longer than {MAX_LENGTH} characters", "shorten it"


def _of_event(saga: Saga, event: EventType) -> str:
    return of_saga(saga, f"event {event.__name__}")


_NAME_MEND = "use a small letter, then up to 99 of a-z 0-9 _ -"
