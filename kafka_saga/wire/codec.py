"""Values: Avro single-object encoding by default, JSON accepted; events in, bytes out, and back.

Source: Avro 1.12, Single-object encoding: C3 01, the schema's CRC-64-AVRO fingerprint (8 bytes, little-endian), and
the body.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form
from pydantic import BaseModel, ValidationError

from kafka_saga.errors import DecodeError, DecodeProblem, TerminalError
from kafka_saga.events.event import Event
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.envelope import AVRO, JSON
from kafka_saga.wire.json_text import json_object

MAGIC = b"\xc3\x01"
MAX_EVENT_BYTES = 1_000_000
"""The largest value of an event, in bytes: below Kafka's default of 1,048,588 for a whole batch with headers."""


class _Writer:
    """How one event type is written: its schema, parsed once, and the prefix of every value."""

    __slots__ = ("event", "fingerprint", "prefix", "schema")

    def __init__(self, event: type[Event]) -> None:
        self.event = event
        self.schema, self.fingerprint = parsed(avro_schema(event))
        self.prefix = MAGIC + self.fingerprint


@lru_cache(maxsize=1024)
def _writer(event: type[Event]) -> _Writer:
    return _Writer(event)


class Codec:
    """Encodes and decodes the events it was given; reads what older versions of their schemas wrote.

    The older schemas of an event lie in its `schema_folder`, or in `older` if that is given.
    """

    def __init__(self, events: Iterable[type[Event]], older: Path | None = None) -> None:
        self._writers = {event.event_type: _writer(event) for event in events}
        self._readers: dict[bytes, tuple[str, Any]] = {
            mark: (event_type, schema)
            for event_type, writer in self._writers.items()
            for schema, mark in (_committed(writer.event) if older is None else stored_schemas(older, event_type))
        }
        for event_type, writer in self._writers.items():
            self._readers[writer.fingerprint] = (event_type, writer.schema)

    def knows(self, event_type: str) -> bool:
        """Whether events of this type can be encoded and decoded."""
        return event_type in self._writers

    def encode(self, event: Event) -> bytes:
        """The event as Avro single-object bytes.

        Raises TerminalError if it is larger than an event may be, or holds what Avro cannot carry: whole numbers
        beyond 64 bits, lone surrogates.
        """
        writer = self._writers[event.event_type]
        out = io.BytesIO()
        out.write(writer.prefix)
        try:
            fastavro.schemaless_writer(out, writer.schema, event.__dict__ if _is_flat(event) else event.model_dump())
        except Exception as error:  # fastavro raises whatever its input leads it to
            raise TerminalError(f"{event.event_type} cannot be written as Avro: {_ascii(error)}") from None
        value = out.getvalue()
        if len(value) > MAX_EVENT_BYTES:
            raise TerminalError(
                f"{event.event_type} would be {len(value):,} bytes, the limit is {MAX_EVENT_BYTES:,}: "
                "put large content into the blob store and emit its reference"
            )
        return value

    def decode(self, event_type: str, value: bytes | None, content_type: str | None = None) -> Event:
        """The event in `value`. Raises DecodeError that says what is wrong and where."""
        writer = self._writers.get(event_type)
        if writer is None:
            known = ", ".join(sorted(self._writers))
            raise DecodeError(DecodeProblem.UNKNOWN_TYPE, "header ce_type", f"{event_type!r} is not one of {known}")
        if not value:
            raise DecodeError(DecodeProblem.MALFORMED, "value", "is empty")
        if len(value) > MAX_EVENT_BYTES:
            what = f"has {len(value):,} bytes, at most {MAX_EVENT_BYTES:,}"
            raise DecodeError(DecodeProblem.OVERSIZED, "value", what)
        if _is_avro(value, content_type):
            return self._decode_avro(writer, value)
        return _validated(writer.event, json_object(value, otherwise="is neither Avro nor JSON"))

    def _decode_avro(self, writer: _Writer, value: bytes) -> Event:
        return _validated(writer.event, self._avro_fields(writer, value))

    def _avro_fields(self, writer: _Writer, value: bytes) -> Any:  # what Avro holds
        if len(value) < 10:
            raise DecodeError(DecodeProblem.TRUNCATED, f"byte {len(value)}", "the Avro prefix has 10 bytes")
        found = self._readers.get(value[2:10])
        if found is None:
            raise _unknown_schema(writer, value)
        written_as, schema = found
        if written_as != writer.event.event_type:
            what = f"the value is a {written_as}, the record says {writer.event.event_type}"
            raise DecodeError(DecodeProblem.WRONG_TYPE, "bytes 2 to 9", what)
        body = io.BytesIO(value)
        body.seek(10)
        return _read(body, schema, writer.schema, len(value))


def parsed(schema: Mapping[str, Any]) -> tuple[Any, bytes]:
    """A schema ready for fastavro, and its CRC-64-AVRO fingerprint (8 bytes, little-endian)."""
    canonical = to_parsing_canonical_form(dict(schema))
    return parse_schema(dict(schema)), bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))


def stored_schemas(folder: Path, event_type: str) -> tuple[tuple[Any, bytes], ...]:
    """The committed schemas, present and past, of an event type, each with its fingerprint.

    A file is named by its event type: `ast.completed.avsc`, older ones `history/ast.completed.N.avsc`.
    """
    older = (
        path for path in (folder / "history").glob(f"{event_type}.*.avsc") if path.stem.rpartition(".")[0] == event_type
    )
    paths = (folder / f"{event_type}.avsc", *sorted(older))
    return tuple(parsed(json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists())


def schema_folder(event: type[Event]) -> Path | None:
    """The folder of an event's committed schemas, `avro/` beside its module; none for a module without a file."""
    file = getattr(sys.modules.get(event.__module__), "__file__", None)
    return Path(file).parent / "avro" if file is not None else None


@lru_cache(maxsize=1024)
def _committed(event: type[Event]) -> tuple[tuple[Any, bytes], ...]:
    """What is committed does not change while a process runs, and simulations make thousands of codecs in one."""
    folder = schema_folder(event)
    return stored_schemas(folder, event.event_type) if folder is not None else ()


def _ascii(error: Exception) -> str:
    """What an exception says, in at most 300 characters that every encoding can carry."""
    return (str(error) or type(error).__name__).encode("ascii", "backslashreplace").decode()[:300]


def invalid(error: ValidationError) -> DecodeError:
    """What pydantic found, as one sentence per field (at most five)."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    where = ".".join(map(str, problems[0]["loc"])) or "value"
    rest = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'value'}: {p['msg']}" for p in problems[1:5])
    more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
    what = problems[0]["msg"] + (f"; {rest}" if rest else "") + more
    return DecodeError(DecodeProblem.INVALID, f"field {where}", what)


def content_type_of(value: bytes) -> str:
    """`application/avro` or `application/json`, by the first byte."""
    return AVRO if value[:1] == MAGIC[:1] else JSON


def _is_avro(value: bytes, content_type: str | None) -> bool:
    match content_type and content_type.split(";")[0].strip().lower():
        case "application/json":
            return False
        case "application/avro":
            is_avro = True
        case _:
            is_avro = value[:1] == MAGIC[:1]
    if is_avro:
        _check_magic(value)
    return is_avro


def _check_magic(value: bytes) -> None:
    if value[:2] != MAGIC and value != MAGIC[:1]:
        what = f"is {value[:2].hex()}, Avro single-object encoding begins with c301"
        raise DecodeError(DecodeProblem.MALFORMED, "bytes 0 to 1", what)


def _validated(event: type[Event], fields: Any) -> Event:  # what Avro or JSON holds
    try:
        return event.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from None
    except Exception as error:  # a model's own validators may raise anything
        what = f"{event.__name__} cannot be made of it: {type(error).__name__}: {_ascii(error)}"
        raise DecodeError(DecodeProblem.INVALID, "value", what) from None


def _unknown_schema(writer: _Writer, value: bytes) -> DecodeError:
    what = (
        f"schema fingerprint {value[2:10].hex()} is not known for {writer.event.event_type}: "
        "it was written by a newer version, deploy that version's schemas here first"
    )
    return DecodeError(DecodeProblem.UNKNOWN_TYPE, "bytes 2 to 9", what)


def _read(body: io.BytesIO, written: Any, wanted: Any, size: int) -> Any:  # schemas and what Avro holds
    try:
        fields = fastavro.schemaless_reader(body, written, None if written is wanted else wanted)
    except EOFError:
        raise DecodeError(DecodeProblem.TRUNCATED, f"byte {size}", "the Avro body ends too early") from None
    except Exception as error:  # fastavro raises whatever its input leads it to
        if isinstance(error, IndexError) and "string index" in str(error):
            raise DecodeError(DecodeProblem.TRUNCATED, f"byte {size}", "the last number is cut off") from None
        what = f"the Avro body cannot be read: {_ascii(error)}"
        raise DecodeError(DecodeProblem.MALFORMED, f"byte {body.tell()}", what) from None
    if body.tell() != size:
        what = f"{size - body.tell()} bytes follow the Avro body"
        raise DecodeError(DecodeProblem.MALFORMED, f"byte {body.tell()}", what)
    return fields


def _is_flat(event: BaseModel) -> bool:
    """Whether an event's own fields are all it has, so that no copy is needed to write it."""
    return _has_flat_fields(type(event))


_PLAIN = (str, int, float, bool, bytes, str | None, int | None, dict[str, int])


@cache
def _has_flat_fields(model: type[BaseModel]) -> bool:
    return all(info.annotation in _PLAIN for info in model.model_fields.values())
