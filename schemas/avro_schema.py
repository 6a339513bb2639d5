"""Avro schemas from pydantic models: one record per model, string for enums, a union for what may be null.

Enums travel as strings: a new symbol would break FULL_TRANSITIVE compatibility, a new string does not.
"""

from __future__ import annotations

import types
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.errors import TopologyError

Schema = dict[str, Any] | list[Any] | str

NAMESPACE = "saga"
_PRIMITIVES: dict[object, str] = {bool: "boolean", int: "long", float: "double", str: "string", bytes: "bytes"}


def avro_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The Avro record of `model`. Raises TopologyError naming the field whose type Avro cannot carry."""
    return _record(model, set())


def _record(model: type[BaseModel], known: set[str]) -> dict[str, Any]:
    known.add(model.__name__)
    return {
        "type": "record",
        "name": model.__name__,
        "namespace": NAMESPACE,
        "doc": (model.__doc__ or "").strip().split("\n")[0],
        "fields": [_field(model, name, info, known) for name, info in model.model_fields.items()],
    }


def _field(model: type[BaseModel], name: str, info: FieldInfo, known: set[str]) -> dict[str, Any]:
    schema = _type(info.annotation, f"{model.__name__}.{name}", known)
    default = _default(info)
    field: dict[str, Any] = {"name": name, "type": _null_first(schema) if default is None else schema}
    if info.description:
        field["doc"] = info.description
    if default is not PydanticUndefined:
        field["default"] = default
    return field


def _default(info: FieldInfo) -> Any:  # JSON
    value = info.get_default(call_default_factory=False)
    match value:
        case StrEnum():
            return value.value
        case tuple() if not value:
            return []
        case None | bool() | int() | float() | str():
            return value
        case _:
            return PydanticUndefined


def _null_first(schema: Schema) -> Schema:
    """A default must be of the union's first branch (Avro 1.12, Unions)."""
    if isinstance(schema, list) and "null" in schema:
        return ["null", *(branch for branch in schema if branch != "null")]
    return schema


def _type(annotation: Any, place: str, known: set[str]) -> Schema:  # a type expression
    if annotation in _PRIMITIVES:
        return _PRIMITIVES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], place, known)
    if origin in (Union, types.UnionType):
        return _union(arguments, place, known)
    if origin in (tuple, list, frozenset, set):
        return {"type": "array", "items": _type(arguments[0], place, known)}
    if origin is dict and arguments[0] is str:
        return {"type": "map", "values": _type(arguments[1], place, known)}
    if origin is Literal and all(isinstance(argument, str) for argument in arguments):
        return "string"
    return _named(annotation, place, known)


def _named(annotation: Any, place: str, known: set[str]) -> Schema:  # a type expression
    match annotation:
        case type() if issubclass(annotation, StrEnum):
            return "string"
        case type() if issubclass(annotation, BaseModel):
            named = annotation.__name__
            return f"{NAMESPACE}.{named}" if named in known else _record(annotation, known)
        case _:
            raise TopologyError(
                f"{place}: Avro cannot carry {annotation!r}. Use str, int, float, bool, bytes, a model, "
                "or tuples, dicts by str and unions of those."
            )


def _union(arguments: tuple[Any, ...], place: str, known: set[str]) -> Schema:
    return ["null" if argument is type(None) else _type(argument, place, known) for argument in arguments]
