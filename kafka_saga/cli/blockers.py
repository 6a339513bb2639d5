"""What keeps a saga from going on, in a sentence: services that are not there, or a pause of more than one saga."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.cli.connection import Connection
from kafka_saga.cli.output import clock
from kafka_saga.cli.render.pauses import resuming
from kafka_saga.definition.model import Saga, Step
from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.inspection.diagnose.diagnosis import missing_services, sentence, started_by
from kafka_saga.inspection.diagnose.surroundings import control_of
from kafka_saga.inspection.log.deployed import deployed_on
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.inspection.log.reading import partition_count
from kafka_saga.inspection.present.spans import remaining
from kafka_saga.tracker.core.pauses import Wide, wide_of
from kafka_saga.tracker.core.state import SagaState, StepState, StepStatus
from kafka_saga.wire import control
from kafka_saga.wire.control import ControlEntry
from kafka_saga.wire.ids import key_of


def diagnosis(connection: Connection, state: SagaState | None, saga_id: str, saga: Saga | None) -> str:
    """As `hindrance`, by clients of its own: the broker may have restarted, and kept ones not find their way back."""
    connection.close()
    return hindrance(connection.cluster(), connection.groups(), state, saga_id, saga)


def hindrance(cluster: Cluster, groups: Groups, state: SagaState | None, saga_id: str, saga: Saga | None) -> str:
    """What is to be said about a saga in which nothing happens; empty if nothing is known.

    `state` is none if nobody has seen the saga yet: then `saga` tells of its steps.
    """
    seen = state or (None if saga is None else _unseen(saga, saga_id, partition_count(cluster, SAGA_CONTROL)))
    if seen is None:
        return ""
    deployed = deployed_on(cluster)
    if missing := missing_services(groups, seen, deployed):
        return sentence(missing, started_by(seen.definition, deployed))
    return " ".join(_pauses(wide_of(control_of(cluster, seen.partition), seen), seen))


def _pauses(wide: Wide, state: SagaState) -> Iterator[str]:
    for scope, entry in wide.prefixes:
        yield from _pause(f"Every key that begins with {scope.removeprefix(control.PREFIX)}", scope, entry)
    if wide.definition is not None:
        yield from _pause(
            f"The definition {state.definition}", control.of_definition(state.definition), wide.definition
        )
    ahead = remaining(state)
    for step, entry in wide.steps:
        if step in ahead:
            yield from _pause(f"Step {step}", control.of_step(state.definition, step), entry)


def _pause(what: str, scope: str, entry: ControlEntry) -> Iterator[str]:
    hold = entry.paused
    if hold is not None:
        why = f" ({hold.reason})" if hold.reason else ""
        yield f"{what} is paused by {hold.by}{why} since {clock(hold.at)}: `{resuming(scope)}`."


def _unseen(saga: Saga, saga_id: str, partitions: int) -> SagaState:
    """A saga of which the tracker has not heard: its first step is at work, the others are to come."""
    number = partition_of(key_of(saga_id).encode(), partitions)
    steps = tuple(StepState(step.name, _at_the_start(step, saga)) for step in saga.steps)
    return SagaState(saga_id, saga.name, saga.version, number, steps=steps)


def _at_the_start(step: Step, saga: Saga) -> StepStatus:
    return StepStatus.QUEUED if step.on is saga.starts_on else StepStatus.WAITING
