"""Consumer groups: who gets what, and what members are told when others come and go."""

from __future__ import annotations

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Committed, TopicPartition
from tests.support.driver import Driver, commit, numbered, places, topic, unique
from tests.support.members import Member, Partitions, joined, turns


def test_a_member_alone_gets_every_partition(driver: Driver) -> None:
    name = topic(driver, 3)
    member = joined(driver, unique("group"), name)
    assert member.assigned == tuple(places(name, 3))
    member.consumer.close()


def test_partitions_of_the_same_number_go_to_the_same_member(driver: Driver) -> None:
    names, group = sorted((topic(driver, 4), topic(driver, 4))), unique("group")
    members = [Member(driver, group, names) for _ in range(3)]
    driver.eventually(lambda: is_shared(members, 8), turns(*members))
    for member in members:
        numbers = [{at.partition for at in member.assigned or () if at.topic == name} for name in names]
        assert numbers[0] == numbers[1] == set(range(min(numbers[0]), max(numbers[0]) + 1))
    close(members)


def test_a_member_more_than_there_are_partitions_is_told_that_it_has_none(driver: Driver) -> None:
    name, group = topic(driver, 1), unique("group")
    members = [Member(driver, group, [name]) for _ in range(2)]
    driver.eventually(lambda: is_shared(members, 1), turns(*members))
    assert sorted(len(member.assigned or ()) for member in members) == [0, 1]
    close(members)


def test_a_member_that_joins_takes_over_after_the_others_have_let_go(driver: Driver) -> None:
    name, group = topic(driver), unique("group")
    first = joined(driver, group, name)
    second = Member(driver, group, [name])
    first.when_revoked = lambda _: second.events.append(("first lets go", ()))
    driver.eventually(lambda: is_shared([first, second], 2), turns(first, second))
    assert [how for how, _ in first.events] == ["assign", "revoke", "assign"]
    assert [how for how, _ in second.events] == ["first lets go", "assign"]
    assert first.events[1][1] == tuple(places(name, 2))
    first.when_revoked = lambda _: None
    close([first, second])


def test_what_is_committed_while_partitions_go_is_what_the_next_owner_finds(driver: Driver, cluster: Cluster) -> None:
    name, group = topic(driver), unique("group")
    first = joined(driver, group, name)
    producer = cluster.producer(unique("producer"))

    def commit_all(partitions: Partitions) -> None:
        offsets = {at: Committed(at.partition + 7, "kept") for at in partitions}
        producer.transact([], offsets, first.consumer.group_metadata())

    first.when_revoked = commit_all
    second = Member(driver, group, [name])
    driver.eventually(lambda: is_shared([first, second], 2), turns(first, second))
    first.when_revoked = lambda _: None
    for member in (first, second):
        assert member.committed == {at: Committed(at.partition + 7, "kept") for at in member.assigned or ()}
    close([first, second])


def test_what_a_member_leaves_goes_to_the_others(driver: Driver) -> None:
    name, group = topic(driver), unique("group")
    members = [Member(driver, group, [name]) for _ in range(2)]
    driver.eventually(lambda: is_shared(members, 2), turns(*members))
    members[0].consumer.close()
    assert members[0].events[-1][0] == "revoke"
    driver.eventually(lambda: len(members[1].assigned or ()) == 2, members[1].turn)
    members[1].consumer.close()


def test_a_member_that_stops_polling_loses_its_partitions_to_the_others(driver: Driver, cluster: Cluster) -> None:
    name, group = topic(driver), unique("group")
    stalled, other = Member(driver, group, [name]), Member(driver, group, [name])
    driver.eventually(lambda: is_shared([stalled, other], 2), turns(stalled, other))
    driver.eventually(lambda: len(other.assigned or ()) == 2, other.turn)
    assert "lost" not in [how for how, _ in stalled.events]
    driver.eventually(lambda: is_shared([stalled, other], 2), turns(stalled, other))
    assert [how for how, _ in stalled.events][-2:] == ["lost", "assign"]
    close([stalled, other])


def test_every_record_is_read_by_one_member_through_joining_and_leaving(driver: Driver, cluster: Cluster) -> None:
    """Offsets are committed as partitions go; so each record is read once, whoever reads it."""
    name, group = topic(driver, 4), unique("group")
    producer = cluster.producer(unique("producer"))
    members: list[Member] = []
    wanted = sorted(b"%d" % number for number in range(2_000))

    def join() -> Member:
        member = Member(driver, group, [name])

        def commit_read(partitions: Partitions) -> None:
            last = {at: last_offset(member, at) for at in partitions}
            offsets = {at: Committed(offset + 1) for at, offset in last.items() if offset is not None}
            producer.transact([], offsets, member.consumer.group_metadata())

        member.when_revoked = commit_read
        members.append(member)
        return member

    first = join()
    for part in range(4):
        commit(driver, numbered(name, part, range(part * 500, part * 500 + 250)))
    driver.eventually(lambda: len(first.records) > 0, first.turn)
    second = join()
    driver.eventually(lambda: is_shared(members, 4), turns(*members))
    for part in range(4):
        commit(driver, numbered(name, part, range(part * 500 + 250, part * 500 + 500)))
    driver.eventually(lambda: len(second.records) > 0, turns(*members))
    second.consumer.close()
    driver.eventually(lambda: sum(len(member.records) for member in members) >= 2_000, first.turn)
    first.consumer.close()
    assert sorted(value or b"" for member in members for value in member.values()) == wanted


def last_offset(member: Member, at: TopicPartition) -> int | None:
    read = [record.offset for record in member.records if (record.topic, record.partition) == at]
    return max(read) if read else None


def is_shared(members: list[Member], partitions: int) -> bool:
    """Whether all members know their share, and the shares are all there is."""
    shares = [member.assigned for member in members]
    return None not in shares and sum(len(share or ()) for share in shares) == partitions


def close(members: list[Member]) -> None:
    for member in members:
        member.consumer.close()
