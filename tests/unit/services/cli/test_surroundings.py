"""What the cluster knows about a saga: its service, its place in the queue, pauses, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from schemas import control
from schemas.control import ControlEntry, Hold
from services.chassis.memory import MemoryCluster
from services.chassis.offsets import Position
from services.chassis.offsets import encode as metadata_of
from services.chassis.outgoing import dead_letter
from services.chassis.partitioner import partition_of
from services.chassis.records import Committed, Outgoing, Record, TopicPartition
from services.cli.hindrances import hindrance
from services.cli.letters import letter_at
from services.cli.redriving import put_back
from services.cli.surroundings import Delivery, Place, Surroundings, delivery_of, place_of, surroundings_of
from services.cli.views.why import besides, why_json
from services.tracker.core.state import EventRef, Pause, SagaState, Sent, StepState, StepStatus
from tests.unit.services.cli.cluster import Members
from tests.unit.services.cli.given import PARTITIONS, SAGA, T0, completed, headers_of, log_with, running
from topology.topics import SAGA_CONTROL

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


def said(state: SagaState, around: Surroundings) -> list[str]:
    return list(besides(state, around, T0 + 60_000))


def queue(count: int) -> MemoryCluster:
    return log_with({}, *[event(f"o{number}") for number in range(count)], event("e2"))


def test_a_service_that_is_not_there_is_named_with_the_records_before_it() -> None:
    state = waiting(5)
    around = surroundings_of(queue(5), services(), state, NOTHING)
    assert said(state, around) == [
        "Its service ast is not running: start it, all of them with `saga up`.",
        "5 records are before it in pr.validated[1].",
    ]


def test_of_the_records_before_it_only_the_unfinished_ones_count() -> None:
    state, groups = waiting(5), services(ast=2)
    groups.offsets["ast", AT] = committed(4, 1, 3)
    (one,) = surroundings_of(queue(5), groups, state, NOTHING).waiting
    assert (one.service, one.instances, one.place, one.ahead) == ("ast", 2, Place.QUEUED, 3)


def test_a_delivery_that_its_service_has_taken_is_told_from_one_that_waits() -> None:
    state, groups = waiting(5), services(ast=1)
    for position, place in (((5,), Place.QUEUED), ((6, 5), Place.TAKEN), ((6,), Place.ENDED), ((9, 7), Place.ENDED)):
        groups.offsets["ast", AT] = committed(*position)
        (one,) = surroundings_of(queue(5), groups, state, NOTHING).waiting
        assert one.place is place
    assert said(state, surroundings_of(queue(5), groups, state, NOTHING)) == [
        "ast is done with it; the tracker has not read that yet."
    ]


def test_a_retry_is_looked_for_on_the_work_topic_by_the_commands_id() -> None:
    state = replace(waiting(), sent=(Sent("c1", "ast", "e2", T0, 2),))
    delivery = delivery_of(state, state.step("ast"))
    assert delivery == Delivery(TopicPartition("ast.work", 1), "c1")
    work = [Outgoing("ast.work", 1, KEY, None, headers_of("step.execute", name)) for name in ("c0", "c1")]
    (one,) = surroundings_of(log_with({}, *work), services(ast=1), state, NOTHING).waiting
    assert (one.place, one.ahead) == (Place.QUEUED, 1)


def test_a_compensation_is_looked_for_too() -> None:
    state = replace(
        completed(),
        steps=(StepState("comment", StepStatus.COMPENSATING, 1),),
        sent=(Sent("c1", "comment", "e5", T0, undoes=True),),
    )
    assert delivery_of(state, state.steps[0]) == Delivery(TopicPartition("comment.work", 1), "c1")


def test_long_queues_are_counted_up_to_a_bound() -> None:
    records = (Record("pr.validated", 1, offset, 0, None, None, []) for offset in range(1_000_000))
    assert place_of(Delivery(AT, "e2", 999_999), None, records) == (Place.QUEUED, 10_000)
    assert next(records).offset == 10_000


def test_the_service_of_a_step_of_ones_own_is_the_group_that_has_committed_there() -> None:
    state, groups = replace(waiting(5), definition="order"), services(**{"order-ast": 1, "views": 1})
    groups.offsets["views", AT] = Committed(3)
    (unknown,) = surroundings_of(queue(5), groups, state, NOTHING).waiting
    assert unknown.service is None
    groups.offsets["order-ast", AT] = committed(6, 5)
    around = surroundings_of(queue(5), groups, state, NOTHING)
    assert said(state, around) == ["order-ast (1 instance) has taken it."]


def test_a_tracker_that_is_away_is_said() -> None:
    around = surroundings_of(queue(5), Members({"ast": 1}), waiting(), NOTHING)
    assert any(
        sentence.startswith("The tracker is not running, so this is as old") for sentence in said(waiting(), around)
    )


def test_a_partition_that_stands_still_is_said_with_the_command_that_lets_it_go_on() -> None:
    reason = "pr.validated[1] stands still: most of its last records could not be decoded"
    around = surroundings_of(queue(5), services(ast=1), waiting(), {"ast": ("x", reason)})
    assert f"ast: {reason}; or `saga dlq continue ast`." in said(waiting(), around)


def test_what_is_paused_beyond_the_saga_is_said_and_by_whom() -> None:
    hold = ControlEntry(1, paused=Hold("ada", "deploying", T0))
    entries = {
        control.of_step("code_review", "llm"): control.encode(hold),
        control.of_step("code_review", "validate"): control.encode(hold),
        control.of_definition("code_review"): control.encode(ControlEntry(2)),
        control.of_definition("order"): control.encode(hold),
        control.of_prefix("acme/"): control.encode(hold),
        control.of_prefix("acme/shop"): control.encode(hold),
        control.of_prefix("zoo/"): control.encode(hold),
        control.of_step("code_review", "ast"): b"{",
    }
    records = [Outgoing(SAGA_CONTROL, 1, scope.encode(), value, []) for scope, value in entries.items()]
    state = replace(waiting(), pauses=(Pause("acme/", "ada", "", T0),))
    around = surroundings_of(log_with({}, *records), services(ast=1), state, NOTHING)
    assert [held.scope for held in around.held] == ["prefix:acme/shop", "step:code_review/llm"]
    prefix, sentence = [one for one in said(state, around) if "paused" in one]
    assert prefix.startswith("Every key that begins with acme/shop is paused by ada (deploying) since ")
    assert sentence.startswith("Step code_review/llm is paused by ada (deploying) since ")
    assert sentence.endswith("1 min ago: `saga resume --step code_review/llm`.")


def test_dead_letters_of_the_saga_are_said_until_they_are_redriven() -> None:
    mine = Record("pr.validated", 1, 7, T0, KEY, b"?", headers_of("pr.validated", "e9"))
    other = Record("pr.validated", 1, 8, T0, KEY, b"?", headers_of("pr.validated", "e9", "x@y"))
    cluster = log_with({}, dead_letter(mine, "no Avro", "ast"), dead_letter(other, "no Avro", "ast"))
    around = surroundings_of(cluster, services(), completed(), NOTHING)
    assert said(completed(), around) == [
        "A record of it is a dead letter: 1/0 (ast: no Avro). See `saga dlq show 1/0`; "
        "`saga dlq redrive` publishes it again."
    ]
    put_back(cluster, [letter_at(cluster, "1/0")], "ada", "")
    assert surroundings_of(cluster, services(), completed(), NOTHING) == Surroundings(1)


def test_scripts_get_it_in_parts() -> None:
    state = waiting(5)
    found = why_json(state, surroundings_of(queue(5), services(ast=1), state, NOTHING), T0)
    (one,) = found.waiting
    assert (one.step, one.service, one.topic, one.place, one.ahead) == ("ast", "ast", "pr.validated", "queued", 5)
    assert found.besides == ("5 records are before it in pr.validated[1].",)


def test_a_review_of_which_nothing_was_heard_may_be_paused() -> None:
    hold = control.encode(ControlEntry(1, paused=Hold("ada", "deploying", T0)))
    cluster = log_with({}, Outgoing(SAGA_CONTROL, NUMBER, control.of_definition("code_review").encode(), hold, []))
    assert "The definition code_review is paused by ada" in hindrance(cluster, services(validator=1), None, SAGA)
    assert hindrance(cluster, services(ast=1), replace(waiting(), definition="order"), SAGA) == ""


def test_a_service_that_is_missing_is_said_first() -> None:
    assert hindrance(log_with({}), Members(), None, SAGA).startswith("validator and tracker are not running")
