"""A group in memory: the range assignor, generations, expiry."""

from __future__ import annotations

import pytest

from kafka_saga.broker.memory.group import SESSION_TIMEOUT, Group, Member, Membership

COUNTS = {"a": 5, "b": 5, "c": 2}


def assigned(group: Group, *members: Member) -> list[dict[str, list[int]]]:
    """Everybody joins; the partitions of each, by topic."""
    for member in members:
        group.rejoin(member, COUNTS)
    shares = [{topic: [at.partition for at in m.assigned if at.topic == topic] for topic in m.topics} for m in members]
    assert group.stable
    return shares


def test_range_gives_consecutive_partitions_and_the_first_members_more() -> None:
    group = Group("group")
    first, second = group.join(["a", "b"], 0), group.join(["a", "b"], 0)
    assert assigned(group, first, second) == [{"a": [0, 1, 2], "b": [0, 1, 2]}, {"a": [3, 4], "b": [3, 4]}]


def test_a_topic_goes_only_to_those_who_subscribe_to_it() -> None:
    group = Group("group")
    first, second, third = group.join(["a"], 0), group.join(["a", "c"], 0), group.join(["c"], 0)
    assert assigned(group, first, second, third) == [{"a": [0, 1, 2]}, {"a": [3, 4], "c": [0]}, {"c": [1]}]


def test_a_rebalance_waits_for_every_member() -> None:
    group = Group("group")
    first, second = group.join(["a"], 0), group.join(["a"], 0)
    group.rejoin(first, COUNTS)
    assert not group.stable
    group.rejoin(second, COUNTS)
    assert group.stable


def test_a_member_may_commit_in_its_generation_until_it_has_joined_the_next() -> None:
    """Kafka refuses commits of the old generation once the new one has begun, and a member lets go before it joins."""
    group = Group("group")
    first = group.join(["a"], 0)
    group.rejoin(first, COUNTS)
    membership = Membership("group", first.id, first.joined)
    assert group.is_current(membership)
    second = group.join(["a"], 0)
    assert group.is_current(membership)
    group.rejoin(first, COUNTS)
    group.rejoin(second, COUNTS)
    assert not group.is_current(membership)


@pytest.mark.parametrize(("silence", "is_member"), [(SESSION_TIMEOUT, True), (SESSION_TIMEOUT + 0.1, False)])
def test_a_member_that_is_silent_for_longer_than_its_session_is_out(silence: float, is_member: bool) -> None:
    group = Group("group")
    silent, other = group.join(["a"], 0), group.join(["a"], 0)
    assigned(group, silent, other)
    membership = Membership("group", silent.id, silent.joined)
    other.seen = silence
    group.expire(silence)
    assert group.is_current(membership) is is_member
    assert group.stable is is_member


def test_a_member_that_leaves_twice_leaves_once() -> None:
    group = Group("group")
    first, second = group.join(["a"], 0), group.join(["a"], 0)
    assigned(group, first, second)
    group.leave(first)
    generation = group.generation
    group.leave(first)
    assert group.generation == generation
    assert assigned(group, second) == [{"a": [0, 1, 2, 3, 4]}]
