"""The envelope: headers and back, and one sentence for each header that is missing or wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.wire.envelope import AVRO, Envelope, from_headers, names_a_saga, rfc3339, to_headers, trace_of

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=50)
COUNT = st.integers(1, 999_999_999)
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
ENVELOPES = st.builds(
    Envelope,
    id=TEXT,
    type=TEXT,
    source=TEXT,
    time=TEXT,
    subject=st.builds("{}@{}".format, TEXT, TEXT.filter(lambda run: "@" not in run)),
    definition=TEXT,
    version=COUNT,
    causation_id=st.none() | TEXT,
    step=st.none() | TEXT,
    attempt=COUNT,
    epoch=st.integers(0, 999_999_999),
    traceparent=st.none() | st.just(TRACE),
    content_type=st.just(AVRO) | TEXT,
)
SMALL = Envelope(id="i", type="t", source="s", time="2026", subject="k@r", definition="d", version=1)


def changed(**values: bytes | None) -> list[tuple[str, bytes | None]]:
    replaced = {name.replace("__", "-"): value for name, value in values.items()}
    return list({**dict(to_headers(SMALL)), **replaced}.items())


@given(ENVELOPES)
def test_an_envelope_survives_its_headers(envelope: Envelope) -> None:
    assert from_headers(to_headers(envelope)) == envelope


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in to_headers(SMALL)]) | TEXT, st.none() | st.binary())))
def test_arbitrary_headers_raise_nothing_but_decode_errors(headers: list[tuple[str, bytes | None]]) -> None:
    try:
        from_headers([*to_headers(SMALL), *headers])
    except DecodeError as error:
        assert error.where.startswith("header ")  # noqa: PT017  # both ends are right


def test_of_a_repeated_header_the_last_counts() -> None:
    assert from_headers([*to_headers(SMALL), ("ce_id", b"later")]).id == "later"


def test_what_may_be_left_out_has_its_default() -> None:
    needed = ("ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_sagadefinition")
    envelope = from_headers([(name, value) for name, value in to_headers(SMALL) if name in needed])

    assert (envelope.version, envelope.attempt, envelope.epoch) == (1, 1, 0)
    assert (envelope.time, envelope.content_type) == ("", "")
    assert (envelope.causation_id, envelope.step, envelope.traceparent) == (None, None, None)


@pytest.mark.parametrize("version", [b"1.0", b"1.0.2"])
def test_versions_of_cloudevents_that_are_read(version: bytes) -> None:
    assert from_headers(changed(ce_specversion=version)).id == "i"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (changed(ce_specversion=b"0.3"), "header ce_specversion: is b'0.3', not 1.0"),
        (changed(ce_specversion=None), "header ce_specversion: is null"),
        ([], "header ce_specversion: is missing"),
        ([("ce_specversion", b"1.0")], "header ce_id: is missing"),
        (changed(ce_type=None), "header ce_type: is null"),
        (changed(ce_type=b"ab\xff"), "header ce_type: is not UTF-8 at byte 2"),
        (changed(content__type=b"\xff"), "header content-type: is not UTF-8 at byte 0"),
        (changed(ce_id=b""), "header ce_id: has 0 characters, not 1 to 200"),
        (changed(ce_id=b"x" * 201), "header ce_id: has 201 characters, not 1 to 200"),
        (changed(ce_subject=b"key"), "header ce_subject: is 'key', not a saga id (key@run)"),
        (changed(ce_subject=b"@run"), "header ce_subject: is '@run', not a saga id (key@run)"),
        (changed(ce_subject=b"k@" + b"x" * 1000), "header ce_subject: has 1,002 characters, at most 1,001"),
        (changed(ce_attempt=b"0"), "header ce_attempt: is b'0', not a decimal number from 1 to 999999999"),
        (changed(ce_epoch="٣".encode()), "header ce_epoch: is b'\\xd9\\xa3', not a decimal number from 0 to 999999999"),
        (changed(ce_epoch=b"1" * 10), "header ce_epoch: is b'1111111111', not a decimal number from 0 to 999999999"),
    ],
)
def test_a_bad_header_is_named(headers: list[tuple[str, bytes | None]], said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        from_headers(headers)

    assert caught.value.problem is DecodeProblem.MALFORMED
    assert str(caught.value) == f"malformed: {said}"


@pytest.mark.parametrize(
    "value",
    [None, b"", b"00", TRACE.upper().encode(), b"\xff" * 55, TRACE.encode() + b"0", TRACE.replace("-", "+").encode()],
)
def test_a_trace_that_is_not_well_formed_is_left_out(value: bytes | None) -> None:
    assert trace_of({"traceparent": value}) is None
    assert from_headers(changed(traceparent=value)).traceparent is None


def test_whether_headers_name_a_saga() -> None:
    assert names_a_saga({"ce_subject": None, "ce_sagadefinition": b""})
    assert not names_a_saga({"ce_subject": b"k@r"})


def test_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_767_225_600_007) == "2026-01-01T00:00:00.007Z"
    assert rfc3339(1_767_225_600_999) == "2026-01-01T00:00:00.999Z"
