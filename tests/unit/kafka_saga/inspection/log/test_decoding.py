"""The events of a saga are read where its state says, and decoded by its definition."""

from __future__ import annotations

from msgspec.structs import replace

from kafka_saga.broker.records import Outgoing
from kafka_saga.inspection.log.decoding import codec_for, history, read_places
from kafka_saga.tracker.core.state import EventRef
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.ids import key_of
from tests.unit.kafka_saga.cli.given import SAGA, headers_of, log_with, received, rejected, running
from topology.code_review import CODE_REVIEW

KEY = key_of(SAGA).encode()


def event(topic: str, identity: str, value: bytes) -> Outgoing:
    return Outgoing(topic, 1, KEY, value, headers_of(topic, identity))


def test_events_are_decoded_in_the_order_of_log_time() -> None:
    codec = codec_for((CODE_REVIEW,))
    noise = [event("pr.received", "x", b"{}")] * 3
    first, last = (
        event("pr.received", "e1", codec.encode(received())),
        event("pr.rejected", "e2", codec.encode(rejected())),
    )
    cluster = log_with({}, *noise, first, last)
    state = replace(
        running(),
        events=(EventRef("e1", "pr.received", 3, 1), EventRef("e2", "pr.rejected", 0, 2, 1, "e1", "validate")),
    )
    one, two = history(cluster, state, codec)
    assert (one.event, two.event) == (received(), rejected())
    assert (two.cause, two.where, two.problem) == ("e1", "pr.rejected[1]@0", None)


def test_an_event_that_this_version_cannot_decode_is_kept_raw_with_the_reason() -> None:
    cluster = log_with({}, event("pr.received", "e1", b"\xc3\x01"))
    state = replace(running(), events=(EventRef("e1", "pr.received", 0, 1),))
    (one,) = history(cluster, state, codec_for((CODE_REVIEW,)))
    assert one.record is not None
    assert (one.event, one.record.value) == (None, b"\xc3\x01")
    assert one.problem is not None
    assert one.problem.startswith("truncated")
    (unknown,) = history(cluster, state, Codec(()))
    assert "is not one of" in (unknown.problem or "")


def test_a_record_that_the_log_no_longer_holds_or_that_is_another_one_is_said() -> None:
    cluster = log_with({}, event("pr.received", "other", b"{}"))
    state = replace(running(), events=(EventRef("e1", "pr.received", 0, 1), EventRef("e2", "pr.received", 7, 2)))
    another, gone = history(cluster, state, codec_for((CODE_REVIEW,)))
    assert "another record lies there" in (another.problem or "")
    assert "no longer holds" in (gone.problem or "")


def test_several_records_of_one_partition_are_all_found() -> None:
    cluster = log_with({}, *[event("pr.received", f"e{n}", b"%d" % n) for n in range(5)])
    found = read_places(cluster, [("pr.received", 1, 4), ("pr.received", 1, 0), ("pr.received", 1, 0)])
    assert {place[2]: record.value for place, record in found.items()} == {0: b"0", 4: b"4"}
