"""The error tree: one root, and a DecodeError that says what and where without growing as large as its record."""

from __future__ import annotations

import pytest

from kafka_saga import errors
from kafka_saga.errors import ChoreographyError, DecodeError, DecodeProblem, RetryableError, TerminalError

NAMES = ("TopologyError", "DecodeError", "RetryableError", "TerminalError", "UnavailableError")


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_a_choreography_error(name: str) -> None:
    assert issubclass(getattr(errors, name), ChoreographyError)
    assert name in (errors.__doc__ or "")


def test_a_decode_error_says_what_is_wrong_where() -> None:
    error = DecodeError(DecodeProblem.TRUNCATED, "byte 7", "the Avro prefix has 10 bytes")

    assert str(error) == "truncated: byte 7: the Avro prefix has 10 bytes"
    assert (error.problem, error.where, error.what) == ("truncated", "byte 7", "the Avro prefix has 10 bytes")


def test_a_decode_error_is_bounded() -> None:
    error = DecodeError(DecodeProblem.INVALID, "w" * 5_000, "x" * 5_000)

    assert len(str(error)) < 2_100
    assert error.what.endswith("x…")


def test_handlers_errors_carry_their_reason() -> None:
    assert RetryableError("not now", retry_after=2.5).retry_after == 2.5
    assert RetryableError("not now").retry_after is None
    assert TerminalError("never").reason == str(TerminalError("never")) == "never"
