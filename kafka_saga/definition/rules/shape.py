"""Whether every field of a definition holds what its type says; the other rules rely on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from kafka_saga.definition.model import EndStatus, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.definition.problem import Code, Problem
from kafka_saga.events.event import Event


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field must hold: in words, and as a test."""

    words: str
    fits: Callable[[object], bool]


def shape(saga: Saga) -> Iterator[Problem]:
    """Fields of the wrong type, in the saga, its steps and their retries."""
    place = f"{saga.name} v{saga.version}" if _TEXT.fits(saga.name) and _WHOLE.fits(saga.version) else "definition"
    yield from _misfits(saga, _SAGA, place)
    for at, step in enumerate(_items(saga.steps), start=1):
        yield from _step_shape(step, f"{place}, step {at}")


def not_a_saga(value: object) -> Problem:
    """The problem of something that is no definition at all."""
    return Problem(Code.WRONG_TYPE, "definition", f"this is {_said(value)}, not a Saga", "build it with Saga(...)")


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _step_shape(step: object, place: str) -> Iterator[Problem]:
    if not isinstance(step, Step):
        yield Problem(Code.WRONG_TYPE, place, f"this is {_said(step)}, not a Step", "build it with Step(...)")
        return
    place = f"{place} ({step.name})" if _TEXT.fits(step.name) else place
    yield from _misfits(step, _STEP, place)
    if isinstance(step.retry, Retry):
        yield from _misfits(step.retry, _RETRY, f"{place}, retry")


def _misfits(value: object, shapes: Mapping[str, Shape], place: str) -> Iterator[Problem]:
    for name, wanted in shapes.items():
        found: object = getattr(value, name)
        if not wanted.fits(found):
            what = f"{name} is {_said(found)}, not {wanted.words}"
            yield Problem(Code.WRONG_TYPE, f"{place}, {name}", what, _mend(name, found, wanted))


def _mend(name: str, found: object, wanted: Shape) -> str:
    if wanted is _EVENTS and _is_event(found):
        return f"write {name}=({_class_name(found)},) with the comma that makes a tuple"
    return f"give {wanted.words}"


def _said(value: object) -> str:
    return f"the class {_class_name(value)}" if isinstance(value, type) else f"a {_class_name(type(value))}"


def _class_name(value: object) -> str:
    return str(getattr(value, "__name__", value))


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Event)


def _is_whole(value: object) -> bool:
    # Larger ones are never meant, and Python refuses to print very large ones.
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _is_number(value: object) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _is_ends(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        _is_event(event) and isinstance(status, EndStatus) for event, status in value.items()
    )


def _instance(kind: type, words: str) -> Shape:
    return Shape(words, lambda value: isinstance(value, kind))


_TEXT = _instance(str, "text")
_DURATION = _instance(timedelta, "a duration such as minutes(5)")
_BOUND = Shape("a duration such as hours(1), or None", lambda value: value is None or isinstance(value, timedelta))
_WHOLE = Shape("a whole number below 2**31", _is_whole)
_NUMBER = Shape("a number", _is_number)
_EVENT = Shape("a subclass of Event", _is_event)
_EVENTS = Shape("a tuple of Event classes", lambda value: isinstance(value, tuple) and all(map(_is_event, value)))

_SAGA: Mapping[str, Shape] = MappingProxyType(
    {
        "name": _TEXT,
        "version": _WHOLE,
        "starts_on": _EVENT,
        "key": _TEXT,
        "run": _TEXT,
        "steps": _instance(tuple, "a tuple of steps"),
        "ends": Shape("a mapping of Event classes to COMPLETED, FAILED or CANCELLED", _is_ends),
        "deadline": _BOUND,
        "on_failure": _instance(OnFailure, "an OnFailure"),
        "on_conflict": _instance(OnConflict, "an OnConflict"),
        "settle_timeout": _DURATION,
        "keep_finished": _DURATION,
        "description": _TEXT,
    }
)
_STEP: Mapping[str, Shape] = MappingProxyType(
    {
        "name": _TEXT,
        "on": _EVENT,
        "emits": _EVENTS,
        "also": _EVENTS,
        "timeout": _DURATION,
        "deadline": _BOUND,
        "retry": _instance(Retry, "a Retry"),
        "compensates": _instance(bool, "True or False"),
        "on_cancel": _instance(OnCancel, "an OnCancel"),
    }
)
_RETRY: Mapping[str, Shape] = MappingProxyType(
    {"attempts": _WHOLE, "first": _DURATION, "factor": _NUMBER, "max_delay": _DURATION, "jitter": _NUMBER}
)
