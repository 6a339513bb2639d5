"""Fields of a record that this version does not know, kept when it writes the record again. Pure.

Records are JSON objects as dictionaries; their kind, a msgspec struct, says which of their fields are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec
from msgspec import inspect, structs

JsonObject = Mapping[str, object]
Identities = Mapping[type[msgspec.Struct], tuple[str, ...]]
"""By kind of record: the fields by which one is told from another of its kind."""


def with_unknown(
    kind: type[msgspec.Struct], read: JsonObject, written: JsonObject, identities: Identities
) -> dict[str, object]:
    """What is `written` of a record, with the fields that only the record as it was `read` has.

    The same holds for the records in it, each compared with the one of the same identity. Raises KeyError if such a
    kind has no identity.
    """
    known = _fields(kind)
    nested = {
        name: _nested(inner, read[name], value, identities) for name, value in written.items()
        if name in read and (inner := known.get(name)) is not None
    }  # fmt: skip
    return {**written, **nested, **{name: value for name, value in read.items() if name not in known}}


def kinds_in(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Every kind of record that one of this kind may contain."""
    for inner in _fields(kind).values():
        if inner is not None:
            yield inner
            yield from kinds_in(inner)


def _nested(kind: type[msgspec.Struct], read: object, written: object, identities: Identities) -> object:
    match read, written:
        case dict(), dict():
            return _each(kind, [read], [written], identities)[0]
        case list(), list() | tuple():
            return _each(kind, read, written, identities)
        case _:
            return written


def _each(
    kind: type[msgspec.Struct], read: Sequence[JsonObject], written: Sequence[JsonObject], identities: Identities
) -> list[dict[str, object]]:
    names = identities[kind]
    before = {_identity(names, one): one for one in read}
    return [with_unknown(kind, before.get(_identity(names, one), {}), one, identities) for one in written]


def _identity(names: tuple[str, ...], record: JsonObject) -> tuple[object, ...]:
    return tuple(record.get(name) for name in names)


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, type[msgspec.Struct] | None]:
    """The known fields, each with the kind of record that it holds, one or many, if it holds any."""
    return {field.encode_name: _kind(inspect.type_info(field.type)) for field in structs.fields(kind)}


def _kind(info: inspect.Type) -> type[msgspec.Struct] | None:
    match info:
        case inspect.StructType():
            return info.cls
        case inspect.VarTupleType():
            return _kind(info.item_type)
        case inspect.UnionType():
            return next(filter(None, map(_kind, info.types)), None)
        case _:
            return None
