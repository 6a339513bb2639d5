"""The envelope: CloudEvents 1.0 in Kafka headers, binary content mode, with the saga's extensions.

Source: CloudEvents 1.0.2, Kafka protocol binding, 3.2. Tracker and engine work from these headers alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.wire.ids import is_id

AVRO = "application/avro"
JSON = "application/json"


class Envelope(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What travels in the headers of every event. `time` is RFC 3339 UTC; `subject` is the saga's id.

    An empty `content_type` was not given: the value's first byte says what it is.
    """

    id: str
    type: str
    source: str
    time: str
    subject: str
    definition: str
    version: int
    causation_id: str | None = None
    step: str | None = None
    attempt: int = 1
    epoch: int = 0
    traceparent: str | None = None
    content_type: str = AVRO


def to_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The headers of an envelope, UTF-8 text, integers in decimal."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_time", envelope.time.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("content-type", envelope.content_type.encode()),
        ("ce_sagadefinition", envelope.definition.encode()),
        ("ce_sagaversion", b"%d" % envelope.version),
        ("ce_attempt", b"%d" % envelope.attempt),
        ("ce_epoch", b"%d" % envelope.epoch),
    ]
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", envelope.causation_id.encode()))
    if envelope.step is not None:
        headers.append(("ce_step", envelope.step.encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers


def from_headers(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """The envelope in `headers`. Raises DecodeError naming the header that is missing or wrong."""
    return from_mapping(dict(headers))


def from_mapping(found: Mapping[str, bytes | None]) -> Envelope:
    """As `from_headers`, for headers already in a mapping (of a repeated header the last counts)."""
    get = found.get
    if get("ce_specversion") not in _SPEC_VERSIONS:
        raise _wrong_version(found)
    time, cause, step, content_type = get("ce_time"), get("ce_causationid"), get("ce_step"), get("content-type")
    try:
        return Envelope(
            id=_event_id(found["ce_id"].decode()),  # type: ignore[union-attr]
            type=found["ce_type"].decode(),  # type: ignore[union-attr]
            source=found["ce_source"].decode(),  # type: ignore[union-attr]
            time=time.decode() if time else "",
            subject=_saga_id(found["ce_subject"].decode()),  # type: ignore[union-attr]
            definition=found["ce_sagadefinition"].decode(),  # type: ignore[union-attr]
            version=_counter(found, "ce_sagaversion", 1),
            causation_id=None if cause is None else cause.decode(),
            step=None if step is None else step.decode(),
            attempt=_counter(found, "ce_attempt", 1),
            epoch=_counter(found, "ce_epoch", 0),
            traceparent=trace_of(found),
            content_type=content_type.decode() if content_type else "",
        )
    except KeyError as error:
        raise _bad(str(error.args[0]), "is missing") from None
    except (UnicodeDecodeError, AttributeError):
        raise _which_is_not_text(found) from None


def trace_of(found: Mapping[str, bytes | None]) -> str | None:
    """The traceparent, a courtesy: one that is not well-formed is left out (W3C Trace Context, 3.2.2)."""
    value = found.get("traceparent")
    return value.decode() if value is not None and _TRACE_PARENT.fullmatch(value) else None


def names_a_saga(found: Mapping[str, bytes | None]) -> bool:
    """Whether headers carry the saga's extensions at all, well-formed or not."""
    return "ce_subject" in found and "ce_sagadefinition" in found


def rfc3339(milliseconds: int) -> str:
    """A point in time, milliseconds since the epoch, as RFC 3339 UTC."""
    whole, part = divmod(milliseconds, 1000)
    return f"{_to_the_second(whole)}.{part:03d}Z"


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    """Seconds since the epoch as text; remembered, since records come in bursts."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


MAX_ID_CHARACTERS = 200
"""An event's id, of whoever emits it: it travels on in the headers of every effect."""

MAX_SAGA_ID_CHARACTERS = 1001
"""A key and a run of 500 characters each, and the `@` between them."""

_TRACE_PARENT = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_SMALL = {b"%d" % number: number for number in range(100)}
_SPEC_VERSIONS = (b"1.0", b"1.0.2")


def _wrong_version(found: Mapping[str, bytes | None]) -> DecodeError:
    value = found.get("ce_specversion")
    if value is None:
        return _bad("ce_specversion", "is null" if "ce_specversion" in found else "is missing")
    return _bad("ce_specversion", f"is {value[:40]!r}, not 1.0")


def _counter(found: Mapping[str, bytes | None], name: str, least: int) -> int:
    value = found.get(name)
    if value is None:
        return least
    number = _SMALL.get(value, -1)
    if number < 0 and value.isdigit() and len(value) <= 9:
        number = int(value)
    if number < least:
        raise _bad(name, f"is {value[:40]!r}, not a decimal number from {least} to 999999999")
    return number


def _saga_id(subject: str) -> str:
    if not is_id(subject):
        raise _bad("ce_subject", f"is {subject[:80]!r}, not a saga id (key@run)")
    if len(subject) > MAX_SAGA_ID_CHARACTERS:
        raise _bad("ce_subject", f"has {len(subject):,} characters, at most {MAX_SAGA_ID_CHARACTERS:,}")
    return subject


def _event_id(text: str) -> str:
    if not 0 < len(text) <= MAX_ID_CHARACTERS:
        raise _bad("ce_id", f"has {len(text):,} characters, not 1 to {MAX_ID_CHARACTERS}")
    return text


def _which_is_not_text(found: Mapping[str, bytes | None]) -> DecodeError:
    for name, value in found.items():
        if not name.startswith("ce_") and name != "content-type":
            continue
        if value is None:
            return _bad(name, "is null")
        try:
            value.decode()
        except UnicodeDecodeError as error:
            return _bad(name, f"is not UTF-8 at byte {error.start}")
    return _bad("headers", "are not readable")


def _bad(header: str, what: str) -> DecodeError:
    return DecodeError(DecodeProblem.MALFORMED, f"header {header}", what)
