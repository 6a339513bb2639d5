"""What is paused beyond single sagas, as `saga.control` tells of it."""

from __future__ import annotations

import pytest

from kafka_saga.api.topology import PausedScope
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.inspection.diagnose.held import Holds
from kafka_saga.inspection.log.times import stamp
from kafka_saga.wire import control
from kafka_saga.wire.control import ControlEntry, Hold
from tests.unit.kafka_saga.cli.given import PARTITIONS, SAGA, T0, log_with

LLM = control.of_step("code_review", "llm")
HOLD = Hold("ada", "the model is away", T0)


def entry(scope: str, hold: Hold | None, number: int = 0) -> Outgoing:
    """An entry of a scope: paused, or no more."""
    value = control.encode(ControlEntry(1, paused=hold, resumed=None if hold else HOLD))
    return Outgoing(SAGA_CONTROL, number, scope.encode(), value, [])


def everywhere(scope: str, *times: int) -> list[Outgoing]:
    """A pause in every partition, each with the time at which it was taken."""
    return [entry(scope, Hold("ada", "", at), number) for number, at in zip(range(PARTITIONS), times, strict=True)]


def written(cluster: MemoryCluster, *records: Outgoing) -> None:
    """Add to the log."""
    cluster.producer("test").transact(records, {}, None)


def test_a_pause_of_every_partition_is_one_since_the_first_took_it() -> None:
    cluster = log_with({}, *everywhere(LLM, T0 + 9, T0 + 3, T0 + 7, T0 + 5))
    assert Holds().look(cluster) == (PausedScope(scope=LLM, by="ada", reason="", at=stamp(T0 + 3)),)


def test_definitions_steps_and_prefixes_are_told_by_scope_and_sagas_and_services_are_not() -> None:
    wide = [control.of_definition("order"), control.of_prefix("acme/"), LLM]
    others = [control.of_saga(SAGA), control.of_service("llm")]
    cluster = log_with({}, *(entry(scope, HOLD) for scope in (*wide, *others)))
    assert [one.scope for one in Holds().look(cluster)] == sorted(wide)


@pytest.mark.parametrize("end", [entry(LLM, None), Outgoing(SAGA_CONTROL, 0, LLM.encode(), None, [])])
def test_each_look_learns_what_came_since_the_one_before(end: Outgoing) -> None:
    cluster, holds = log_with({}), Holds()
    assert holds.look(cluster) == ()
    written(cluster, entry(LLM, HOLD))
    (one,) = holds.look(cluster)
    assert (one.by, one.reason, one.at) == ("ada", "the model is away", stamp(T0))
    assert holds.look(cluster) == holds.paused() == (one,)
    written(cluster, end)
    assert holds.look(cluster) == ()


def test_what_a_newer_tracker_wrote_is_passed_over() -> None:
    cluster = log_with({}, Outgoing(SAGA_CONTROL, 0, LLM.encode(), b'{"revision": "?"}', []), entry(LLM, HOLD, 1))
    assert len(Holds().look(cluster)) == 1


def test_before_any_tracker_ran_nothing_is_paused() -> None:
    assert Holds().look(MemoryCluster()) == ()
