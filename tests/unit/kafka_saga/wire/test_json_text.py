"""JSON objects from bytes: what is refused, and that two JSON parsers agree about what is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.wire.json_text import json_object

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXT, VALUES))
def test_an_object_is_what_the_standard_library_makes_of_it(fields: dict[str, object]) -> None:
    assert json_object(json.dumps(fields).encode()) == fields
    assert json_object(json.dumps(fields, ensure_ascii=False).encode()) == fields


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_an_object_or_a_decode_error(value: bytes) -> None:
    try:
        assert isinstance(json_object(value), dict)
    except DecodeError as error:
        assert error.where == "value"  # noqa: PT017  # both ends are right


@pytest.mark.parametrize(
    ("value", "problem", "said"),
    [
        (b'{"a": 1, "a": 2}', DecodeProblem.MALFORMED, "the name 'a' is given twice in one JSON object"),
        (b'{"b": [{"a": 1, "a": 1}]}', DecodeProblem.MALFORMED, "the name 'a' is given twice"),
        (b'{"\\u0061": 1, "a": 2}', DecodeProblem.MALFORMED, "the name 'a' is given twice"),
        (b"[" * 100_000, DecodeProblem.MALFORMED, "nested too deeply"),
        (b'{"a":' * 100_000, DecodeProblem.MALFORMED, "nested too deeply"),
        (b'{"a": NaN}', DecodeProblem.MALFORMED, "invalid character"),
        (b'{"a": Infinity}', DecodeProblem.MALFORMED, "invalid character"),
        (b'{"a": 1e999}', DecodeProblem.MALFORMED, "out of range"),
        (b'{"a": ' + b"9" * 10_000 + b"}", DecodeProblem.MALFORMED, "out of range"),
        (b'{"a": "\\ud800"}', DecodeProblem.MALFORMED, "half of a surrogate pair"),
        (b'{"a": "\\udc00\\ud800"}', DecodeProblem.MALFORMED, "half of a surrogate pair"),
        (b'{"a": "\xed\xa0\x80"}', DecodeProblem.MALFORMED, "half of a surrogate pair"),
        (b'{"a": "\x00"}', DecodeProblem.MALFORMED, "invalid character"),
        ("\ufeff{}".encode(), DecodeProblem.MALFORMED, "byte order mark (UTF-8)"),
        ("{}".encode("utf-16"), DecodeProblem.MALFORMED, "byte order mark (UTF-16)"),
        ("{}".encode("utf-16-le"), DecodeProblem.MALFORMED, "is not JSON"),
        ("{}".encode("utf-32-be"), DecodeProblem.MALFORMED, "is not JSON"),
        (b'{"a": ', DecodeProblem.TRUNCATED, "truncated"),
        (b"", DecodeProblem.TRUNCATED, "truncated"),
        (b"true", DecodeProblem.WRONG_TYPE, "is a JSON boolean, not an object"),
        (b"1.5", DecodeProblem.WRONG_TYPE, "is a JSON number, not an object"),
    ],
)
def test_what_is_no_json_object_is_refused(value: bytes, problem: DecodeProblem, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        json_object(value)

    assert caught.value.problem is problem
    assert said in caught.value.what


def test_an_escaped_nul_is_a_text_like_any_other() -> None:
    assert json_object(b'{"a": "\\u0000"}') == {"a": "\0"}
