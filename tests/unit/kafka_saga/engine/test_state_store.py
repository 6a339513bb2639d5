"""Keyed state: what is put is seen, what is settled stays, what is dropped never was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kafka_saga.engine.state_store import Change, Store, StoreSpec, last_changes
from tests.unit.kafka_saga.engine.given import record

SPEC = StoreSpec("log", lambda number: b"%d" % number, int)


def change(value: int | None, key: bytes = b"k") -> Change:
    return SPEC.change(key, value)


def test_what_is_put_is_seen_before_it_is_settled() -> None:
    store = Store(SPEC, 2)
    store.put(change(7))

    assert store.get(b"k") == 7
    assert len(store) == 0


def test_what_is_settled_is_kept_encoded() -> None:
    store, first = Store(SPEC, 2), change(7)
    store.put(first)
    outgoing = store.outgoing(first)
    store.settle(first)

    assert (outgoing.topic, outgoing.partition, outgoing.key, outgoing.value) == ("log", 2, b"k", b"7")
    assert (store.get(b"k"), len(store)) == (7, 1)


def test_a_newer_pending_change_stays_on_top_of_an_older_settled_one() -> None:
    store, first, second = Store(SPEC, 0), change(1000), change(2000)
    store.put(first)
    store.put(second)
    store.settle(first)

    assert store.get(b"k") == 2000
    store.drop(second)
    assert store.get(b"k") == 1000


def test_a_tombstone_takes_a_key_away() -> None:
    store, gone = Store(SPEC, 0), change(None)
    store.settle(change(1))
    store.put(gone)
    assert store.get(b"k") is None
    store.settle(gone)
    assert len(store) == 0


def test_a_changelog_is_restored_in_its_order() -> None:
    store = Store(SPEC, 0)
    for value in (b"1", b"2", None, b"3"):
        one = record(0)
        store.restore(type(one)(one.topic, 0, 0, 0, b"k", value, []))
    store.restore(type(one)(one.topic, 0, 0, 0, None, b"9", []))

    assert (store.get(b"k"), len(store)) == (3, 1)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers())))
def test_of_several_changes_to_a_key_the_last_is_kept(pairs: list[tuple[str, int]]) -> None:
    changes = [change(value, key.encode()) for key, value in pairs]

    assert {c.key: c.value for c in last_changes(changes)} == {key.encode(): b"%d" % value for key, value in pairs}
