"""Avro schemas from pydantic models: one record per model, string for enums, a union for what may be null.

Enums travel as strings: a new symbol would break FULL_TRANSITIVE compatibility, a new string does not. Models that
contain themselves are refused: a few kilobytes could nest deeper than the reader's stack.
"""

from __future__ import annotations

import types
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kafka_saga.errors import TopologyError

Schema = dict[str, Any] | list[Any] | str
Known = dict[str, tuple[type[BaseModel], bool]]
"""Models met so far by name, and whether their record is complete."""

NAMESPACE = "saga"
_PRIMITIVES: dict[object, str] = {bool: "boolean", int: "long", float: "double", str: "string", bytes: "bytes"}
_OF_DEFAULT: dict[type, str] = {bool: "boolean", int: "long", float: "double", str: "string", type(None): "null"}


def avro_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The Avro record of `model`. Raises TopologyError naming the field whose type Avro cannot carry."""
    return _record(model, {})


def _record(model: type[BaseModel], known: Known) -> dict[str, Any]:
    known[model.__name__] = (model, False)
    record = {
        "type": "record",
        "name": model.__name__,
        "namespace": NAMESPACE,
        "doc": (model.__doc__ or "").strip().split("\n")[0],
        "fields": [_field(model, name, info, known) for name, info in model.model_fields.items()],
    }
    known[model.__name__] = (model, True)
    return record


def _field(model: type[BaseModel], name: str, info: FieldInfo, known: Known) -> dict[str, Any]:
    place = f"{model.__name__}.{name}"
    if info.alias or info.validation_alias:
        raise TopologyError(f"{place}: has an alias, and would be written under another name than read. Leave it out.")
    schema = _type(info.annotation, place, known)
    default = _default(info)
    field: dict[str, Any] = {"name": name, "type": _default_first(schema, default)}
    if info.description:
        field["doc"] = info.description
    if default is not PydanticUndefined:
        field["default"] = default
    return field


def _default(info: FieldInfo) -> Any:  # JSON
    made = info.default_factory is not None
    value = info.get_default(call_default_factory=True, validated_data={}) if made else info.default
    match value:
        case StrEnum():
            return value.value
        case tuple() | list() | frozenset() | set() if not value:
            return []
        case dict() if not value:
            return {}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return PydanticUndefined


def _default_first(schema: Schema, default: object) -> Schema:
    """A default must be of the union's first branch (Avro 1.12, Unions)."""
    first = _OF_DEFAULT.get(type(default))
    if isinstance(schema, list) and first in schema:
        return [first, *(branch for branch in schema if branch != first)]
    return schema


def _type(annotation: Any, place: str, known: Known) -> Schema:  # a type expression
    if annotation in _PRIMITIVES:
        return _PRIMITIVES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], place, known)
    if origin in (Union, types.UnionType):
        return _union(arguments, place, known)
    if origin in (list, frozenset, set) or (origin is tuple and arguments[1:] == (...,)):
        return {"type": "array", "items": _items(arguments[0], place, known)}
    if origin is dict and arguments[0] is str:
        return {"type": "map", "values": _type(arguments[1], place, known)}
    if origin is Literal and all(isinstance(argument, str) for argument in arguments):
        return "string"
    return _named(annotation, place, known)


def _items(annotation: Any, place: str, known: Known) -> Schema:  # a type expression
    """The items of an array: of those that take no bytes, ten bytes of input could promise billions."""
    if _takes_no_bytes(annotation):
        raise TopologyError(f"{place}: items of {annotation.__name__} take no bytes in Avro. Give it a field.")
    return _type(annotation, place, known)


def _takes_no_bytes(annotation: Any) -> bool:  # a type expression
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    return all(_takes_no_bytes(info.annotation) for info in annotation.model_fields.values())


def _named(annotation: Any, place: str, known: Known) -> Schema:  # a type expression
    match annotation:
        case type() if issubclass(annotation, StrEnum):
            return "string"
        case type() if issubclass(annotation, BaseModel):
            return _reference(annotation, place, known) or _record(annotation, known)
        case _:
            raise TopologyError(
                f"{place}: Avro cannot carry {annotation!r}. Use str, int, float, bool, bytes, a model, "
                "or tuples of any length, dicts by str and unions of those."
            )


def _reference(model: type[BaseModel], place: str, known: Known) -> str | None:
    """The name of a record that was written out before, if it was."""
    if model.__name__ not in known:
        return None
    same, is_complete = known[model.__name__]
    if same is not model:
        raise TopologyError(f"{place}: two different models are called {model.__name__}. Rename one of them.")
    if not is_complete:
        raise TopologyError(f"{place}: {model.__name__} contains itself. Flatten it, or put it into the blob store.")
    return f"{NAMESPACE}.{model.__name__}"


def _union(arguments: tuple[Any, ...], place: str, known: Known) -> Schema:
    return ["null" if argument is type(None) else _type(argument, place, known) for argument in arguments]
