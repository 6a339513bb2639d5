"""What the cluster knows about a saga: its service, its place in the queue, pauses, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Committed, Outgoing, Record, TopicPartition
from kafka_saga.cli.blockers import hindrance
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.engine.offset_tracker import Position
from kafka_saga.engine.offset_tracker import encode as metadata_of
from kafka_saga.engine.outgoing import dead_letter
from kafka_saga.inspection.commands.redriving import put_back
from kafka_saga.inspection.diagnose.surroundings import AwaitedDelivery, around_of, delivery_of, place_of
from kafka_saga.inspection.log.dead_letters import letter_at
from kafka_saga.inspection.log.deployed import deployed_on
from kafka_saga.inspection.log.times import now
from kafka_saga.inspection.present.facts import why_facts
from kafka_saga.steps.announcements import Announcement, StepOf, announce
from kafka_saga.tracker.core.explain.around import Around, AtService, DeliveryPlace, Letter
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.state import EventRef, Run, SagaState, Sent, StepState, StepStatus
from kafka_saga.wire import control
from kafka_saga.wire.control import ControlEntry, Hold
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.cli.given import PARTITIONS, SAGA, T0, completed, headers_of, log_with, running
from topology.code_review import CODE_REVIEW

AT = TopicPartition("pr.validated", 1)
KEY = b"acme/shop#7"
NUMBER = partition_of(KEY, PARTITIONS)
NOTHING: Mapping[str, Sequence[str]] = {}


def event(identity: str, saga_id: str = SAGA) -> Outgoing:
    return Outgoing("pr.validated", 1, KEY, b"x", headers_of("pr.validated", identity, saga_id))


def waiting(offset: int = 5) -> SagaState:
    """A saga whose step ast has its trigger at this offset."""
    return replace(running(), events=(EventRef("e2", "pr.validated", offset, T0, 1, "e1", "validate"),))


def committed(following: int, *unfinished: int) -> Committed:
    lowest = min(unfinished, default=following)
    return Committed(lowest, metadata_of(Position(following, dict.fromkeys(unfinished, 0))))


def services(**counts: int) -> Members:
    return Members({"tracker": 1, **counts})


def looked(
    cluster: MemoryCluster, groups: Members, state: SagaState, said: Mapping[str, Sequence[str]] = NOTHING
) -> Around:
    """What is around a saga of code review."""
    return around_of(cluster, groups, state, said, deployed_on(cluster).beside([CODE_REVIEW]))


def said(state: SagaState, around: Around) -> str:
    return reason(state, T0 + 60_000, around)


def queue(count: int) -> MemoryCluster:
    return log_with({}, *[event(f"o{number}") for number in range(count)], event("e2"))


def test_a_service_that_is_not_there_is_named_with_the_records_before_it() -> None:
    state = waiting(5)
    around = looked(queue(5), services(), state)
    assert around.services == (AtService("ast", "ast", 0, DeliveryPlace.QUEUED, 5),)
    assert "no instance of its service ast is running" in said(state, around)
    assert "behind 5 others" in said(state, around)


def test_of_the_records_before_it_only_the_unfinished_ones_count() -> None:
    groups = services(ast=2)
    groups.offsets["ast", AT] = committed(4, 1, 3)
    assert looked(queue(5), groups, waiting(5)).services == (AtService("ast", "ast", 2, DeliveryPlace.QUEUED, 3),)


def test_a_delivery_that_its_service_has_taken_is_told_from_one_that_waits() -> None:
    groups = services(ast=1)
    for position, place in (
        ((5,), DeliveryPlace.QUEUED),
        ((6, 5), DeliveryPlace.TAKEN),
        ((6,), DeliveryPlace.ENDED),
        ((9, 7), DeliveryPlace.ENDED),
    ):
        groups.offsets["ast", AT] = committed(*position)
        (one,) = looked(queue(5), groups, waiting(5)).services
        assert one.place is place


def test_a_retry_is_looked_for_on_the_work_topic_by_the_commands_id() -> None:
    state = replace(waiting(), sent=(Sent("c1", "ast", "e2", T0, 2),))
    delivery = delivery_of(state, state.step("ast"))
    assert delivery == AwaitedDelivery(TopicPartition("ast.work", 1), "c1")
    work = [Outgoing("ast.work", 1, KEY, None, headers_of("step.execute", name)) for name in ("c0", "c1")]
    (one,) = looked(log_with({}, *work), services(ast=1), state).services
    assert (one.place, one.ahead) == (DeliveryPlace.QUEUED, 1)


def test_a_compensation_is_looked_for_too() -> None:
    state = replace(
        completed(),
        steps=(StepState("comment", StepStatus.COMPENSATING, 1),),
        sent=(Sent("c1", "comment", "e5", T0, undoes=True),),
    )
    assert delivery_of(state, state.steps[0]) == AwaitedDelivery(TopicPartition("comment.work", 1), "c1")


def test_long_queues_are_counted_up_to_a_bound() -> None:
    records = (Record("pr.validated", 1, offset, 0, None, None, []) for offset in range(1_000_000))
    assert place_of(AwaitedDelivery(AT, "e2", 999_999), None, records) == (DeliveryPlace.QUEUED, 10_000)
    assert next(records).offset == 10_000


def test_the_service_of_a_step_of_ones_own_is_the_one_that_announces_it() -> None:
    state, groups, cluster = replace(waiting(5), definition="order"), services(**{"order-ast": 1}), queue(5)
    groups.offsets["order-ast", AT] = committed(6, 5)
    assert looked(cluster, groups, state).services == (AtService("ast"),)
    announce(cluster, Announcement("order-ast", (StepOf("order", 1, "ast"),), ("pr.validated",)), VirtualClock())
    assert looked(cluster, groups, state).services == (AtService("ast", "order-ast", 1, DeliveryPlace.TAKEN, 0),)


def test_a_service_is_known_before_it_has_committed_anything() -> None:
    state, groups, cluster = replace(waiting(5), definition="order"), services(**{"order-ast": 0}), queue(5)
    announce(cluster, Announcement("order-ast", (StepOf("order", 1, "ast"),), ("pr.validated",)), VirtualClock())
    around = looked(cluster, groups, state)
    assert around.services == (AtService("ast", "order-ast", 0, DeliveryPlace.QUEUED, 5),)
    assert "no instance of its service order-ast is running. It goes on when one is." in said(state, around)


def test_the_service_of_a_retry_is_the_one_that_announces_the_step() -> None:
    ran = StepState("ast", StepStatus.QUEUED, 2, runs=(Run("e2", T0, attempt=2),))
    sent = (Sent("c1", "ast", "e2", T0, 2),)
    state, groups = replace(waiting(5), definition="order", sent=sent, steps=(ran,)), services(**{"order-ast": 0})
    cluster = log_with({}, Outgoing("ast.work", 1, KEY, None, headers_of("step.execute", "c1")))
    announce(cluster, Announcement("order-ast", (StepOf("order", 1, "ast"),), ("pr.validated",)), VirtualClock())
    assert looked(cluster, groups, state).services == (AtService("ast", "order-ast", 0, DeliveryPlace.QUEUED, 0),)


def test_how_far_the_tracker_is_behind_is_told_from_the_oldest_record_that_it_has_not_read() -> None:
    state, groups, cluster = waiting(5), services(ast=1), queue(5)
    groups.offsets["tracker", AT] = committed(2)
    oldest = cluster.records("pr.validated")[2].timestamp
    assert looked(cluster, groups, state).behind == pytest.approx(now() / 1000 - oldest / 1000, abs=60)
    groups.offsets["tracker", AT] = committed(6)  # what is left are a transaction's markers
    assert looked(cluster, groups, state).behind == 0
    assert "No tracker is running" in said(state, looked(cluster, Members({"ast": 1}), state))


def test_a_partition_that_stands_still_is_told_as_its_service_says_it() -> None:
    reason = "pr.validated[1] stands still: most of its last records could not be decoded"
    (one,) = looked(queue(5), services(ast=1), waiting(), {"ast": ("x", reason)}).services
    assert one.still == reason
    assert "`saga dlq continue ast`" in said(
        waiting(), looked(queue(5), services(ast=1), waiting(), {"ast": (reason,)})
    )


def test_what_is_paused_beyond_the_saga_is_told() -> None:
    hold = ControlEntry(1, paused=Hold("ada", "deploying", T0))
    entries = {
        control.of_step("code_review", "ast"): control.encode(hold),
        control.of_definition("code_review"): control.encode(ControlEntry(2)),
        control.of_definition("order"): control.encode(hold),
        control.of_step("order", "ast"): control.encode(hold),
        control.of_prefix("acme/shop"): control.encode(hold),
        control.of_prefix("zoo/"): control.encode(hold),
        control.of_step("code_review", "llm"): b"{",
    }
    records = [Outgoing(SAGA_CONTROL, 1, scope.encode(), value, []) for scope, value in entries.items()]
    around = looked(log_with({}, *records), services(ast=1), waiting())
    assert around.wide == Wide(((control.of_prefix("acme/shop"), hold),), ControlEntry(2), (("ast", hold),))
    assert "paused by ada" in said(waiting(), around)


def test_dead_letters_of_the_saga_are_told_until_they_are_redriven() -> None:
    mine = Record("pr.validated", 1, 7, T0, KEY, b"?", headers_of("pr.validated", "e9"))
    other = Record("pr.validated", 1, 8, T0, KEY, b"?", headers_of("pr.validated", "e9", "x@y"))
    cluster = log_with({}, dead_letter(mine, "no Avro", "ast"), dead_letter(other, "no Avro", "ast"))
    assert looked(cluster, services(), completed()).letters == (Letter("1/0", "no Avro"),)
    put_back(cluster, [letter_at(cluster, "1/0")], "ada", "")
    assert looked(cluster, services(), completed()) == Around(CODE_REVIEW, trackers=1, started_by="saga up")


def test_scripts_get_it_in_parts() -> None:
    state = waiting(5)
    found = why_facts(state, looked(queue(5), services(ast=1), state), T0)
    (one,) = found.services
    assert (one.step, one.service, one.instances, one.place, one.ahead) == ("ast", "ast", 1, "queued", 5)
    assert (found.trackers, found.behind, found.dead_letters) == (1, 0, ())


def test_a_review_of_which_nothing_was_heard_may_be_paused() -> None:
    hold = control.encode(ControlEntry(1, paused=Hold("ada", "deploying", T0)))
    scopes = (
        control.of_definition("code_review"),
        control.of_step("code_review", "llm"),
        control.of_step("code_review", "validate"),
        control.of_prefix("acme/"),
    )
    entries = (Outgoing(SAGA_CONTROL, number, scope.encode(), hold, []) for scope in scopes for number in (1, NUMBER))
    cluster = log_with({}, *entries)
    unseen = hindrance(cluster, services(validator=1), None, SAGA, CODE_REVIEW)
    assert "The definition code_review is paused by ada (deploying) since" in unseen
    assert "`saga resume --key-prefix acme/`" in unseen
    seen = hindrance(cluster, services(ast=1), waiting(), SAGA, CODE_REVIEW)
    assert "`saga resume --step code_review/llm`" in seen
    assert "validate" not in seen
    assert hindrance(log_with({}), services(ast=1), waiting(), SAGA, CODE_REVIEW) == ""


def test_a_service_that_is_missing_is_said_first() -> None:
    assert hindrance(log_with({}), Members(), None, SAGA, CODE_REVIEW).startswith(
        "validator and tracker are not running"
    )
