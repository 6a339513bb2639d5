"""Records that cannot be read or are not valid, by name: each ends in `dead.letters` with its reason, on any Kafka.

`CORPUS` is for code review: cases of `START` go to `pr.received`, where anyone may write, cases of `INNER`
to `pr.validated`, where only participants write. A case says where it goes, what it is, and what its reason must say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.errors import DecodeProblem
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, to_headers
from kafka_saga.wire.ids import start_id
from tests.unit.kafka_saga.engine.dead_letters import examples
from topology.code_review import CODE_REVIEW

START, INNER = "pr.received", "pr.validated"
Headers = list[tuple[str, bytes | None]]

KEY = b"acme/shop#7"
SAGA_ID = "acme/shop#7@bbbbbbbbbbbb"


class Letter(NamedTuple):
    """What the dead letter must say: its code, and a piece of its reason."""

    code: DecodeProblem
    reason: str


@dataclass(frozen=True)
class Case:
    """One bad record. `lands` is its distance from the partition of its key (0: the right one).

    `names_saga`: the envelope holds, so the saga must also get a failed report.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    letter: Letter
    lands: int = 0
    names_saga: bool = False

    def partition(self, partitions: int) -> int:
        """Where it is written."""
        return (partition_of(self.key or b"", partitions) + self.lands) % partitions


def some_envelope(event_type: str = INNER) -> Envelope:
    """The envelope of a good record of code review."""
    is_inner = event_type != START
    return Envelope(
        id=start_id(SAGA_ID, event_type),
        type=event_type,
        source="/tests",
        time="2026-01-01T00:00:00.000Z",
        subject=SAGA_ID,
        definition=CODE_REVIEW.name,
        version=CODE_REVIEW.version,
        causation_id=start_id(SAGA_ID, START) if is_inner else None,
        step="validate" if is_inner else None,
    )


def envelope_of(event_type: str) -> Headers:
    """The headers of a good record of code review."""
    return list(to_headers(some_envelope(event_type)))


def with_header(headers: Headers, name: str, value: bytes | None) -> Headers:
    """The headers with one of them replaced."""
    return [(known, value if known == name else was) for known, was in headers]


def without_header(headers: Headers, name: str) -> Headers:
    """The headers but one."""
    return [(known, value) for known, value in headers if known != name]


@cache
def codec() -> Codec:
    """What writes the good values that bad ones are made of."""
    return Codec(CODE_REVIEW.events.values())


def good(topic: str) -> bytes:
    """A good Avro value of code review."""
    return codec().encode(examples.RECEIVED if topic == START else examples.VALIDATED)


def received(**changed: object) -> bytes:
    """A `pr.received` as plain JSON, with some fields changed (none: left out)."""
    fields = {**examples.RECEIVED.model_dump(mode="json", exclude_none=True), **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not LEFT_OUT}).encode()


LEFT_OUT = object()

_MALFORMED, _TRUNCATED, _OVERSIZED = DecodeProblem.MALFORMED, DecodeProblem.TRUNCATED, DecodeProblem.OVERSIZED
_WRONG, _UNKNOWN, _INVALID = DecodeProblem.WRONG_TYPE, DecodeProblem.UNKNOWN_TYPE, DecodeProblem.INVALID


def _avro_values(topic: str) -> Iterator[tuple[str, bytes | None, Letter]]:
    """Values that are bad on every topic."""
    whole = good(topic)
    other = good(INNER if topic == START else START)
    yield "value null", None, Letter(_MALFORMED, "value: is empty")
    yield "value empty", b"", Letter(_MALFORMED, "value: is empty")
    yield "value one magic byte", whole[:1], Letter(_TRUNCATED, "byte 1")
    yield "value only the magic", whole[:2], Letter(_TRUNCATED, "byte 2")
    yield "value cut in the fingerprint", whole[:7], Letter(_TRUNCATED, "byte 7")
    yield "value only the prefix", whole[:10], Letter(_TRUNCATED, "byte 10")
    yield "value cut in the middle", whole[: len(whole) // 2], Letter(_TRUNCATED, f"byte {len(whole) // 2}")
    yield "value cut by one byte", whole[:-1], Letter(_TRUNCATED, f"byte {len(whole) - 1}")
    yield "value with trailing bytes", whole + b"\x00\x00", Letter(_MALFORMED, "2 bytes follow")
    yield "value written twice", whole + whole, Letter(_MALFORMED, "bytes follow")
    yield "wrong second magic byte", b"\xc3\x02" + whole[2:], Letter(_MALFORMED, "c302")
    yield "unknown fingerprint", whole[:2] + b"\x01" * 8 + whole[10:], Letter(_UNKNOWN, "0101010101010101")
    yield "value of another event", other, Letter(_WRONG, "the value is a")
    yield "oversized by one byte", whole + bytes(1_000_001 - len(whole)), Letter(_OVERSIZED, "1,000,001 bytes")
    yield "text longer than the value", whole[:10] + b"\xfe\xff\xff\xff\x0f", Letter(_TRUNCATED, "byte")
    yield "negative text length", whole[:10] + b"\x09" + bytes(40), Letter(_TRUNCATED, "byte")
    yield "endless number", whole[:10] + b"\xff" * 64, Letter(_TRUNCATED, "number is cut off")
    yield "text that is not UTF-8", whole[:10] + b"\x04\xff\xfe" + bytes(40), Letter(_MALFORMED, "utf-8")


def _json_values() -> Iterator[tuple[str, bytes, Letter]]:
    """Text that is no JSON object, on every topic."""
    yield "JSON list", b"[]", Letter(_WRONG, "array, not an object")
    yield "JSON text", b'"pr"', Letter(_WRONG, "string, not an object")
    yield "JSON number", b"7", Letter(_WRONG, "number, not an object")
    yield "JSON null", b"null", Letter(_WRONG, "null, not an object")
    yield "JSON true", b"true", Letter(_WRONG, "boolean, not an object")
    yield "JSON cut off", b'{"repository": "acme/sh', Letter(_TRUNCATED, "truncated")
    yield "JSON with a comma too many", b'{"number": 7,}', Letter(_MALFORMED, "byte 13")
    yield "JSON with text behind", b'{"number": 7} x', Letter(_MALFORMED, "trailing")
    yield "JSON with a name twice", b'{"number": 7, "number": 8}', Letter(_MALFORMED, "'number' is given twice")
    yield "JSON with NaN", b'{"number": NaN}', Letter(_MALFORMED, "invalid character")
    yield "JSON number without end", b'{"number": ' + b"9" * 5_000 + b"}", Letter(_MALFORMED, "out of range")
    yield "JSON number too large", b'{"number": 1e999}', Letter(_MALFORMED, "out of range")
    yield "JSON nested too deeply", b'{"a":' * 50_000, Letter(_MALFORMED, "nested too deeply")
    yield "JSON with half a surrogate pair", b'{"title": "\\ud800"}', Letter(_MALFORMED, "surrogate")
    yield "JSON with a byte order mark", b"\xef\xbb\xbf{}", Letter(_MALFORMED, "byte order mark (UTF-8)")
    yield "JSON in UTF-16", "{}".encode("utf-16"), Letter(_MALFORMED, "byte order mark (UTF-16)")
    yield "JSON in Latin-1", '{"title": "\xe9"}'.encode("latin-1"), Letter(_MALFORMED, "utf-8")
    yield "protobuf", b"\x0a\x09acme/shop\x10\x07", Letter(_MALFORMED, "neither Avro nor JSON")
    yield "zero bytes", bytes(32), Letter(_MALFORMED, "neither Avro nor JSON")
    yield "registry wire format", b"\x00\x00\x00\x00\x01\x12acme/shop", Letter(_MALFORMED, "neither Avro nor JSON")


def _invalid_starts() -> Iterator[tuple[str, bytes, Letter]]:
    """JSON objects that break one constraint of `pr.received` each."""
    fields: tuple[tuple[str, str, object], ...] = (
        ("repository left out", "repository", LEFT_OUT),
        ("repository null", "repository", None),
        ("repository a number", "repository", 7),
        ("repository empty", "repository", ""),
        ("repository too long", "repository", "a" * 201),
        ("repository with a space", "repository", "acme shop"),
        ("repository with an at", "repository", "acme@shop"),
        ("repository with a hash", "repository", "acme#shop"),
        ("number left out", "number", LEFT_OUT),
        ("number zero", "number", 0),
        ("number negative", "number", -7),
        ("number a text", "number", "seven"),
        ("number a fraction", "number", 7.5),
        ("number a list", "number", [7]),
        ("title left out", "title", LEFT_OUT),
        ("title too long", "title", "t" * 1001),
        ("title an object", "title", {}),
        ("base_sha left out", "base_sha", LEFT_OUT),
        ("base_sha too short", "base_sha", "abc123"),
        ("base_sha in capitals", "base_sha", "A" * 40),
        ("head_sha left out", "head_sha", LEFT_OUT),
        ("head_sha too long", "head_sha", "b" * 65),
        ("head_sha no hex", "head_sha", "main-branch"),
        ("author a number", "author", 7),
        ("description a list", "description", []),
        ("url an object", "url", {}),
        ("source left out", "source", LEFT_OUT),
        ("source null", "source", None),
        ("source a text", "source", "/srv/shop"),
        ("source without kind", "source", {"path": "/srv/shop"}),
        ("source of unknown kind", "source", {"kind": "svn", "path": "/srv/shop"}),
    )
    for name, field, value in fields:
        yield name, received(**{field: value}), Letter(_INVALID, f"field {field}")
    yield "git source without path", received(source={"kind": "git"}), Letter(_INVALID, "field source.git.path")
    yield "git source, empty path", received(source={"kind": "git", "path": ""}), Letter(_INVALID, "source.git.path")
    yield "diff source without text", received(source={"kind": "diff"}), Letter(_INVALID, "field source.diff.text")
    yield "nothing but braces", b"{}", Letter(_INVALID, "Field required")
    yield "number beyond 64 bits", received(number=2**63), Letter(_INVALID, "cannot be written as Avro")
    yield "key with a control character", received(repository="acme/\x07shop"), Letter(_INVALID, "key template")


def _bad_headers(topic: str) -> Iterator[tuple[str, Headers, Letter]]:
    """Envelopes that do not hold, of records whose subject, definition and key do."""
    fine = envelope_of(topic)
    for name in ("ce_specversion", "ce_id", "ce_type", "ce_source"):
        yield f"without {name}", without_header(fine, name), Letter(_MALFORMED, f"header {name}: is missing")
        yield f"{name} null", with_header(fine, name, None), Letter(_MALFORMED, f"header {name}: is null")
    for name in ("ce_id", "ce_type", "ce_source", "ce_time", "content-type"):
        letter = Letter(_MALFORMED, f"{name}: is not UTF-8 at byte 1")
        yield f"{name} not UTF-8", with_header(fine, name, b"a\xff"), letter
    yield "spec version 0.3", with_header(fine, "ce_specversion", b"0.3"), Letter(_MALFORMED, "b'0.3', not 1.0")
    yield "empty ce_id", with_header(fine, "ce_id", b""), Letter(_MALFORMED, "ce_id: has 0 characters")
    yield "endless ce_id", with_header(fine, "ce_id", b"7" * 5_000), Letter(_MALFORMED, "ce_id: has 5,000")
    for name in ("ce_sagaversion", "ce_attempt", "ce_epoch"):
        for what, value in (("a word", b"one"), ("negative", b"-1"), ("a fraction", b"1.5"), ("too large", b"9" * 10)):
            yield f"{name} {what}", with_header(fine, name, value), Letter(_MALFORMED, f"header {name}: is b'")
    yield "ce_attempt zero", with_header(fine, "ce_attempt", b"0"), Letter(_MALFORMED, "ce_attempt: is b'0'")
    yield "ce_epoch empty", with_header(fine, "ce_epoch", b""), Letter(_MALFORMED, "ce_epoch: is b''")
    yield "ce_type of another topic", with_header(fine, "ce_type", b"llm.completed"), Letter(_WRONG, "'llm.completed'")
    yield "ce_type unknown", with_header(fine, "ce_type", b"no.such"), Letter(_WRONG, "'no.such' on topic")


def _strange_inner() -> Iterator[tuple[str, bytes | None, Headers, Letter, int]]:
    """Records of an inner topic that are not where or what their envelope says; on a start topic they are just raw."""
    fine = envelope_of(INNER)
    for name in ("ce_subject", "ce_sagadefinition"):
        yield f"without {name}", KEY, without_header(fine, name), Letter(_MALFORMED, f"header {name}: is missing"), 0
        yield f"{name} null", KEY, with_header(fine, name, None), Letter(_MALFORMED, f"header {name}: is null"), 0
        yield f"{name} not UTF-8", KEY, with_header(fine, name, b"\xff"), Letter(_MALFORMED, f"{name}: is not"), 0
    yield "no headers", KEY, [], Letter(_MALFORMED, "ce_specversion: is missing"), 0
    yield "subject without run", KEY, with_header(fine, "ce_subject", KEY), Letter(_MALFORMED, "key@run"), 0
    yield "subject without key", KEY, with_header(fine, "ce_subject", b"@run"), Letter(_MALFORMED, "key@run"), 0
    long = b"acme/shop#7@" + b"b" * 2_000
    yield "endless subject", KEY, with_header(fine, "ce_subject", long), Letter(_MALFORMED, "at most 1,001"), 0
    other = with_header(fine, "ce_sagadefinition", b"order")
    yield "another definition", KEY, other, Letter(_WRONG, "belongs to code_review"), 0
    yield "another key", b"acme/shop#8", fine, Letter(_WRONG, "the record has b'acme/shop#8'"), 0
    yield "no key", None, fine, Letter(_WRONG, "the record has None"), 0
    yield "key not UTF-8", b"\xff\xfe", fine, Letter(_WRONG, "the record has b'\\xff\\xfe'"), 0
    yield "another partition", KEY, fine, Letter(_WRONG, "partitioner=murmur2_random"), 1


def _cases() -> Iterator[tuple[str, Case]]:
    for topic in (START, INNER):
        fine = without_header(envelope_of(topic), "content-type")
        for name, value, letter in (*_avro_values(topic), *_json_values()):
            raw: Headers = [("traceparent", b"no trace")] if topic == START else fine
            yield f"{topic}: {name}", Case(topic, KEY, value, raw, letter, names_saga=topic == INNER)
        for name, headers, letter in _bad_headers(topic):
            yield f"{topic}: {name}", Case(topic, KEY, good(topic), headers, letter)
    yield from _starts()
    for name, key, headers, letter, lands in _strange_inner():
        yield f"{INNER}: {name}", Case(INNER, key, good(INNER), headers, letter, lands)


def _starts() -> Iterator[tuple[str, Case]]:
    """What is peculiar to the start topic: raw records, and a start whose value does not hold."""
    for name, value, letter in _invalid_starts():
        yield f"{START}: {name}", Case(START, None, value, [], letter)
    declared: Headers = [("content-type", b"\xff")]
    no_text = Letter(_MALFORMED, "UTF-8")
    yield f"{START}: raw, content-type not UTF-8", Case(START, None, received(), declared, no_text)
    as_avro: Headers = [("content-type", b"application/avro")]
    begins = Letter(_MALFORMED, "begins with c301")
    yield f"{START}: JSON that says Avro", Case(START, None, received(), as_avro, begins)
    as_json: Headers = [("content-type", b"application/json")]
    yield f"{START}: Avro that says JSON", Case(START, None, good(START), as_json, Letter(_MALFORMED, "neither"))
    cut = good(START)[:-3]
    letter = Letter(_TRUNCATED, f"byte {len(cut)}")
    yield f"{START}: normalised, value cut", Case(START, KEY, cut, envelope_of(START), letter, names_saga=True)


CORPUS: Mapping[str, Case] = dict(_cases())
"""Every case by its name."""
