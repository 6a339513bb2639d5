"""Whether versions of a schema may live side by side: FULL_TRANSITIVE, each one reads what any other wrote.

Apache's own checker decides (Avro 1.12, Schema Resolution), asked both ways. What it does not see is checked here: it
takes string and bytes for the same, compares names without their namespace, and never looks at defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from kafka_saga.errors import TopologyError

Schema = Mapping[str, Any]


class Version(NamedTuple):
    """One version of an event type's schema, and what people call it."""

    name: str
    schema: Schema


def problems(versions: Sequence[Version]) -> tuple[str, ...]:
    """Why these versions cannot live side by side, as sentences; empty if they can."""
    unfit = tuple(sentence for version in versions for sentence in _unfit_defaults(version))
    if unfit:
        return unfit  # Apache's parser refuses such a schema as a whole
    pairs = tuple(sentence for one, other in combinations(versions, 2) for sentence in _between(one, other))
    return (*pairs, *_changed_defaults(versions))


def without_docs(schema: object) -> object:
    """A schema without its documentation: what is left decides about compatibility."""
    match schema:
        case Mapping():
            return {name: without_docs(part) for name, part in schema.items() if name != "doc"}
        case list():
            return [without_docs(part) for part in schema]
        case _:
            return schema


def _between(one: Version, other: Version) -> Iterator[str]:
    for reader, writer in ((one, other), (other, one)):
        yield from (f"{reader.name} cannot read what {writer.name} wrote: {why}" for why in _unreadable(reader, writer))
    yield from _text_against_bytes(one, other)
    yield from _moved_namespace(one, other)


def _moved_namespace(one: Version, other: Version) -> Iterator[str]:
    names = [f"{version.schema.get('namespace', '')}.{version.schema['name']}" for version in (one, other)]
    if names[0] != names[1] and one.schema["name"] == other.schema["name"]:
        yield f"{one.name} is {names[0]}, {other.name} is {names[1]}: records are told apart by their full names"


def _unreadable(reader: Version, writer: Version) -> tuple[str, ...]:
    try:
        from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType  # noqa: PLC0415
        from avro.schema import make_avsc_object  # noqa: PLC0415  # a development dependency: nothing else needs it
    except ImportError:
        what = "checking schemas needs the package avro. Install it: pip install 'kafka-saga[dev]'"
        raise TopologyError(what) from None
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(make_avsc_object(dict(reader.schema)), make_avsc_object(dict(writer.schema)))
    if result.compatibility is not SchemaCompatibilityType.incompatible:
        return ()
    return (f"{'; '.join(sorted(result.messages))} (at {', '.join(sorted(result.locations))}): {_MEND}",)


_MEND = "give a new or removed field a default in both versions, or make it a new event type"


def _text_against_bytes(one: Version, other: Version) -> Iterator[str]:
    here, there = dict(_fields(one.schema)), dict(_fields(other.schema))
    for place in sorted(here.keys() & there.keys()):
        kinds, others = _primitives(here[place]["type"]), _primitives(there[place]["type"])
        if ("bytes" in kinds) != ("bytes" in others) or ("string" in kinds) != ("string" in others):
            yield f"{place}: {one.name} has {sorted(kinds)}, {other.name} {sorted(others)}: text and bytes differ"


def _primitives(schema: object) -> set[str]:
    match schema:
        case str():
            return {schema}
        case list():
            return {name for branch in schema for name in _primitives(branch)}
        case {"type": "array", "items": part} | {"type": "map", "values": part}:
            return _primitives(part)
        case _:
            return set()


def _fields(schema: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field of every record in a schema, by `namespace.Record.field`."""
    match schema:
        case {"type": "record", "name": str() as name, "namespace": str() as namespace, "fields": list() as fields}:
            for field in fields:
                yield f"{namespace}.{name}.{field['name']}", field
                yield from _fields(field["type"])
        case {"items": part} | {"values": part}:
            yield from _fields(part)
        case list():
            for branch in schema:
                yield from _fields(branch)


def _unfit_defaults(version: Version) -> Iterator[str]:
    for place, field in _fields(version.schema):
        if "default" in field and not _fits(field["default"], field["type"]):
            yield f"{version.name}, {place}: the default {field['default']!r} is none of {field['type']}"


def _fits(default: object, schema: object) -> bool:
    """Whether a default is one of this type; of a union, of its first branch (Avro 1.12, Unions)."""
    match schema, default:
        case [first, *_], _:
            return _fits(default, first)
        case "null", None:
            return True
        case "boolean", bool():
            return True
        case "long" | "double", bool():
            return False
        case ("long", int()) | ("double", int() | float()) | ("string" | "bytes", str()):
            return True
        case ({"type": "array"}, list()) | ({"type": "map"}, dict()):
            return True
        case _:
            return False


def _changed_defaults(versions: Sequence[Version]) -> Iterator[str]:
    """A default that differs where a version lacks the field: one and the same record would read differently."""
    all_fields = [dict(_fields(version.schema)) for version in versions]
    for place in sorted({place for fields in all_fields for place in fields}):
        record = place.rpartition(".")[0] + "."
        has_record = [fields for fields in all_fields if any(known.startswith(record) for known in fields)]
        defaults = {repr(fields[place].get("default")) for fields in has_record if place in fields}
        if len(defaults) > 1 and any(place not in fields for fields in has_record):
            said = " and ".join(sorted(defaults))
            yield f"{place}: the default is {said}, and a version lacks the field: its records would read differently"
