"""Ids: UUIDv5 in a namespace of ours, the same for the same work, and the traces made from them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.wire.envelope import trace_of
from kafka_saga.wire.ids import (
    NAMESPACE,
    RUN_SEPARATOR,
    child_of,
    event_id,
    id_of,
    is_id,
    key_of,
    report_id,
    split_id,
    start_id,
    trace_parent,
    uuid5_hex,
)

OURS = uuid.UUID(bytes=NAMESPACE)
TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT)
def test_an_id_is_the_standard_librarys_uuid5(name: str) -> None:
    assert uuid5_hex(name) == str(uuid.uuid5(OURS, name))


def test_the_namespace_never_changes() -> None:
    assert str(OURS) == "6f2c1d0b-9a7e-5c4f-8d3b-2a1908f7e6d5"


@pytest.mark.parametrize(
    ("found", "name", "text"),
    [
        (start_id("acme/shop#7@bb", "pr.received"), "acme/shop#7@bb\x1f\x1fpr.received\x1f0\x1f0", "START"),
        (event_id("A", "ast", "ast.completed", 1, 2), "A\x1fast\x1fast.completed\x1f1\x1f2", "EVENT"),
        (
            report_id("pr.validated", 3, 41, "ast", "step.failed"),
            "pr.validated\x1f3\x1f41\x1fast\x1fstep.failed\x1f0",
            "REPORT",
        ),
    ],
)
def test_ids_are_over_their_parts(found: str, name: str, text: str) -> None:
    assert found == str(uuid.uuid5(OURS, name))
    assert found == VECTORS[text]


VECTORS = {
    "START": "79b8a66a-74f8-565f-8e78-ac2108c876e0",
    "EVENT": "3c1310d8-4383-517f-aa21-88f1f8c04105",
    "REPORT": "ae55667c-5ce2-5e8a-84ee-5baf542d486d",
}


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.integers(0), st.integers(0)), unique=True, min_size=2, max_size=2))
def test_different_work_has_different_ids(works: list[tuple[str, str, str, int, int]]) -> None:
    parts = ["".join(map(str, work)) for work in works]
    if not any("\x1f" in part for part in parts):
        assert event_id(*works[0]) != event_id(*works[1])


@given(TEXT, TEXT)
def test_a_saga_is_one_trace_and_an_event_one_span(saga_id: str, cause: str) -> None:
    parent = trace_parent(saga_id, uuid5_hex(cause))
    child = child_of(parent, uuid5_hex(cause + "x"))

    assert trace_of({"traceparent": parent.encode()}) == parent
    assert trace_of({"traceparent": child.encode()}) == child
    assert parent[:36] == child[:36]
    assert parent[36:52] == uuid5_hex(cause).replace("-", "")[:16]
    assert parent[36:52] != child[36:52]


@given(TEXT, TEXT.filter(lambda run: RUN_SEPARATOR not in run))
def test_a_saga_id_is_split_into_the_key_and_the_run_that_it_is_made_of(key: str, run: str) -> None:
    saga_id = id_of(key, run)

    assert split_id(saga_id) == (key, run)
    assert key_of(saga_id) == key
    assert is_id(saga_id) is bool(key and run)


@pytest.mark.parametrize("text", ["", "@", "key", "@run", "key@"])
def test_what_lacks_a_key_or_a_run_is_no_saga_id(text: str) -> None:
    assert not is_id(text)
