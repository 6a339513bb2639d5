"""Values: every shipped event survives the wire, and whatever else comes is a DecodeError."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import ClassVar

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import field_validator

from kafka_saga.errors import DecodeError, DecodeProblem, TerminalError
from kafka_saga.events.event import Event
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.codec import MAX_EVENT_BYTES, Codec, content_type_of, parsed
from kafka_saga.wire.envelope import AVRO, JSON
from tests.support.shipped import SHIPPED
from tests.unit.kafka_saga.wire.values import events

CODEC = Codec(SHIPPED)
PREFIXES = {event: b"\xc3\x01" + parsed(avro_schema(event))[1] for event in SHIPPED}
ANY_EVENT = st.sampled_from(SHIPPED).flatmap(events)
LENIENT = [HealthCheck.too_slow, HealthCheck.filter_too_much]
SLOW = settings(deadline=None, max_examples=20, suppress_health_check=LENIENT)


class Note(Event):
    event_type: ClassVar[str] = "note.taken"

    text: str = ""
    tags: tuple[str, ...] = ()
    number: int = 0


class Picky(Event):
    event_type: ClassVar[str] = "picky.done"

    text: str

    @field_validator("text")
    @classmethod
    def never(cls, _: str) -> str:
        raise KeyError("never \ud800")


NOTES = Codec([Note, Picky])


def problem(value: bytes | None, event_type: str = "note.taken", content_type: str | None = None) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        NOTES.decode(event_type, value, content_type)
    return caught.value


def spoiled(**fields: object) -> Note:
    """A note that was made without validation."""
    return Note().model_copy(update=fields)


def only_decode_errors(codec: Codec, event_type: str, value: bytes, content_type: str | None = None) -> Event | None:
    try:
        return codec.decode(event_type, value, content_type)
    except DecodeError:
        return None


# ---- what is written is read


@pytest.mark.parametrize("event", SHIPPED, ids=lambda event: event.event_type)
@SLOW
@given(data=st.data())
def test_every_shipped_event_survives_avro_and_json(event: type[Event], data: st.DataObject) -> None:
    sent = data.draw(events(event))

    assert CODEC.decode(event.event_type, CODEC.encode(sent)) == sent
    assert CODEC.decode(event.event_type, CODEC.encode(sent), AVRO) == sent
    assert CODEC.decode(event.event_type, sent.model_dump_json().encode()) == sent
    assert CODEC.decode(event.event_type, json.dumps(sent.model_dump(mode="json")).encode(), JSON) == sent


def test_an_encoded_value_is_magic_fingerprint_and_body() -> None:
    value = NOTES.encode(Note(text="hi", tags=("a",), number=-1))

    assert value.hex() == "c301" + parsed(avro_schema(Note))[1].hex() + "046869" + "02026100" + "01"


def test_the_first_byte_tells_avro_from_json() -> None:
    assert content_type_of(NOTES.encode(Note())) == AVRO
    assert content_type_of(b"{}") == JSON


@pytest.mark.parametrize("said", [None, "", "text/plain", "application/avro", "Application/AVRO; x=1", "avro/binary"])
def test_a_content_type_that_is_not_ours_leaves_it_to_the_first_byte(said: str | None) -> None:
    assert NOTES.decode("note.taken", NOTES.encode(Note(number=7)), said) == Note(number=7)


def test_unknown_fields_are_ignored() -> None:
    assert NOTES.decode("note.taken", b'{"number": 7, "new": [1]}') == Note(number=7)


def test_a_codec_knows_its_events() -> None:
    assert NOTES.knows("note.taken")
    assert not NOTES.knows("pr.received")


@given(st.text(st.characters(codec="utf-8")))
def test_every_text_but_half_a_surrogate_pair_survives(text: str) -> None:
    assert NOTES.decode("note.taken", NOTES.encode(Note(text=text))) == Note(text=text)


# ---- what cannot be written


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Note(number=2**63), "too large"),
        (Note(number=-(2**63) - 1), "too large"),
        (spoiled(text="\ud800"), "surrogates not allowed"),
        (spoiled(text=7), "note.taken cannot be written"),
        (spoiled(text=None), "note.taken cannot be written"),
        (spoiled(tags=7), "note.taken cannot be written"),
    ],
)
def test_what_avro_cannot_carry_is_a_terminal_error(event: Note, said: str) -> None:
    with pytest.raises(TerminalError, match=said) as caught:
        NOTES.encode(event)
    caught.value.reason.encode("ascii")


def test_an_oversized_event_is_a_terminal_error_that_says_what_to_do() -> None:
    with pytest.raises(TerminalError, match="put large content into the blob store"):
        NOTES.encode(Note(text="x" * MAX_EVENT_BYTES))


# ---- what cannot be read


def test_unknown_types_are_named_with_the_known_ones() -> None:
    assert str(problem(b"{}", "no.such")) == (
        "unknown_type: header ce_type: 'no.such' is not one of note.taken, picky.done"
    )


@pytest.mark.parametrize("value", [None, b""])
def test_nothing_is_no_event(value: bytes | None) -> None:
    assert str(problem(value)) == "malformed: value: is empty"


def test_one_byte_too_many_is_oversized() -> None:
    assert problem(b" " * (MAX_EVENT_BYTES + 1)).problem is DecodeProblem.OVERSIZED


def test_a_value_of_another_type_says_both() -> None:
    found = problem(NOTES.encode(Note()), "picky.done")

    assert (found.problem, found.where) == (DecodeProblem.WRONG_TYPE, "bytes 2 to 9")
    assert found.what == "the value is a note.taken, the record says picky.done"


def test_an_unknown_fingerprint_says_which_and_what_to_do() -> None:
    found = problem(b"\xc3\x01" + b"\x0f" * 8)

    assert found.problem is DecodeProblem.UNKNOWN_TYPE
    assert "0f0f0f0f0f0f0f0f" in found.what
    assert "deploy that version's schemas here first" in found.what


def test_invalid_fields_are_each_named_up_to_five() -> None:
    found = shipped_problem(b'{"repository": "", "number": 0}')

    assert found.problem is DecodeProblem.INVALID
    assert found.where == "field repository"
    assert "number: Input should be greater than or equal to 1; title: Field required" in found.what
    assert found.what.endswith("(and 1 more)")


def shipped_problem(value: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode("pr.received", value)
    return caught.value


@pytest.mark.parametrize("value", [b'{"text": "a"}', NOTES.encode(Picky.model_construct(text="a"))])
def test_a_validator_that_raises_something_else_is_still_a_decode_error(value: bytes) -> None:
    found = problem(value, "picky.done")

    assert found.problem is DecodeProblem.INVALID
    assert "KeyError" in found.what
    found.what.encode("ascii")


@pytest.mark.parametrize("event", SHIPPED, ids=lambda event: event.event_type)
@SLOW
@given(data=st.data())
def test_every_truncation_is_truncated_or_malformed(event: type[Event], data: st.DataObject) -> None:
    value = CODEC.encode(data.draw(events(event)))

    for length in range(1, len(value)):
        with pytest.raises(DecodeError) as caught:
            CODEC.decode(event.event_type, value[:length], AVRO)
        assert caught.value.problem is DecodeProblem.TRUNCATED, (length, caught.value)


@SLOW
@given(ANY_EVENT, st.binary(min_size=1, max_size=20))
def test_appended_bytes_are_counted(event: Event, more: bytes) -> None:
    with pytest.raises(DecodeError, match=f"{len(more)} bytes follow"):
        CODEC.decode(event.event_type, CODEC.encode(event) + more)


@SLOW
@given(ANY_EVENT, st.data())
def test_changed_bytes_raise_nothing_but_decode_errors(event: Event, data: st.DataObject) -> None:
    value = bytearray(CODEC.encode(event))
    for place in data.draw(st.lists(st.integers(0, len(value) - 1), min_size=1, max_size=8)):
        value[place] = data.draw(st.integers(0, 255))

    only_decode_errors(CODEC, event.event_type, bytes(value), data.draw(st.sampled_from([None, AVRO, JSON])))


@SLOW
@given(ANY_EVENT, st.sampled_from(SHIPPED))
def test_swapped_fingerprints_raise_nothing_but_decode_errors(event: Event, other: type[Event]) -> None:
    value = CODEC.encode(event)
    swapped = PREFIXES[other] + value[10:]

    only_decode_errors(CODEC, other.event_type, swapped)


@SLOW
@given(st.sampled_from(SHIPPED), st.binary(max_size=200), st.sampled_from([None, AVRO, JSON]))
def test_arbitrary_bytes_raise_nothing_but_decode_errors(event: type[Event], value: bytes, said: str | None) -> None:
    only_decode_errors(CODEC, event.event_type, value, said)
    only_decode_errors(CODEC, event.event_type, PREFIXES[event] + value, said)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@SLOW
@given(st.sampled_from(SHIPPED), st.data())
def test_arbitrary_json_raises_nothing_but_decode_errors(event: type[Event], data: st.DataObject) -> None:
    names = st.sampled_from(list(event.model_fields)) | st.text(max_size=5)
    fields = data.draw(st.dictionaries(names, JSON_VALUES, max_size=8))

    only_decode_errors(CODEC, event.event_type, json.dumps(fields).encode())


@pytest.mark.parametrize("count", [2**62, -(2**62), 2**63 - 1, -(2**63), 10**9])
@pytest.mark.parametrize("body", [b"", b"\x00" * 1_000, b"\x02a" * 1_000, b"\x80" * 20])
def test_huge_block_counts_promise_items_that_never_come(count: int, body: bytes) -> None:
    prefix = NOTES.encode(Note())[:11]

    found = problem(prefix + zigzag(count) + body)

    assert found.problem in (DecodeProblem.TRUNCATED, DecodeProblem.MALFORMED)


def zigzag(number: int) -> bytes:
    """Avro's long: zigzag, then seven bits a byte, least significant first."""
    left = (number << 1 ^ number >> 63) & (1 << 64) - 1
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


# ---- older versions


OLD_NOTE = {
    "type": "record",
    "name": "Note",
    "namespace": "saga",
    "fields": [
        {"name": "retired", "type": ["null", {"type": "array", "items": "string"}], "default": None},
        {"name": "text", "type": "string", "default": ""},
    ],
}


def with_history(folder: Path) -> Codec:
    (folder / "history").mkdir()
    (folder / "history" / "note.taken.1.avsc").write_text(json.dumps(OLD_NOTE))
    return Codec([Note], older=folder)


def old_value(fields: dict[str, object]) -> bytes:
    schema, mark = parsed(OLD_NOTE)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, fields)
    return b"\xc3\x01" + mark + out.getvalue()


def test_a_record_written_with_an_older_schema_is_read_with_the_new_model(tmp_path: Path) -> None:
    value = old_value({"retired": ["a", "b"], "text": "old"})

    assert with_history(tmp_path).decode("note.taken", value) == Note(text="old", tags=(), number=0)


@pytest.mark.parametrize("length", range(1, 17))
def test_a_truncated_older_record_is_a_decode_error(tmp_path: Path, length: int) -> None:
    value = old_value({"retired": ["a", "b"], "text": "old"})[:length]

    with pytest.raises(DecodeError):
        with_history(tmp_path).decode("note.taken", value)


def test_without_its_schema_an_older_record_is_refused() -> None:
    assert problem(old_value({"text": "old"})).problem is DecodeProblem.UNKNOWN_TYPE


@SLOW
@given(st.binary(max_size=60))
def test_arbitrary_older_bytes_raise_only_decode_errors(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    codec = with_history(tmp_path_factory.mktemp("avro"))
    only_decode_errors(codec, "note.taken", old_value({"text": ""})[:10] + body)
