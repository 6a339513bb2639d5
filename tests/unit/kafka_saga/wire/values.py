"""Hypothesis strategies for every shipped event, made from the models' own types and constraints."""

from __future__ import annotations

import types
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from kafka_saga.events.event import Event

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
PATTERNS = {
    r"^[0-9a-f]{7,64}$": st.text("0123456789abcdef", min_size=7, max_size=64),
    r"^[0-9a-f]{64}$": st.text("0123456789abcdef", min_size=64, max_size=64),
    r"^[^\s@#]+$": st.text("abcXYZ/-_.äß水", min_size=1, max_size=30),
}
LONG = st.integers(-(2**63), 2**63 - 1)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 30) | LONG,
    bool: st.booleans(),
    float: st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False),
}


def events(event: type[Event]) -> st.SearchStrategy[Event]:
    """Valid events of this type."""
    return models(event)


@cache
def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    fields = {name: field(info.annotation, info.metadata) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(model.model_validate)


def field(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if not metadata:
        return typed(annotation)
    pattern = next((item.pattern for item in metadata if getattr(item, "pattern", None)), None)
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[(annotation, *metadata)])
    return (PATTERNS[pattern] if pattern else typed(annotation)).filter(lambda value: accepts(adapter, value))


def accepts(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def typed(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return st.dictionaries(typed(arguments[0]), typed(arguments[1]), max_size=3)
    if origin is Annotated:
        return field(arguments[0], [part for item in arguments[1:] for part in unpacked(item)])
    if origin in (Union, types.UnionType):
        return st.one_of(*map(typed, arguments))
    if origin is tuple:
        return st.lists(typed(arguments[0]), max_size=3).map(tuple)
    if origin is Literal:
        return st.sampled_from(arguments)
    return named(annotation)


def unpacked(item: Any) -> list[Any]:
    """What a `Field(...)` or a `StringConstraints(...)` of an alias says."""
    return list(item.metadata) if hasattr(item, "metadata") else [item]


def named(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation is type(None):
        return st.none()
    if issubclass(annotation, StrEnum):
        return st.sampled_from(list(annotation))
    return models(annotation)
