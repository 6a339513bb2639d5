"""Sagas of the chain end to end: their services as processes, their starts, and what must be true of them after."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_LIFECYCLE, SAGA_STATE, SAGA_STEPS, topic_names
from kafka_saga.events.lifecycle import SagaCompleted, SagaStarted
from kafka_saga.events.reports import StepProgress
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus, decode
from kafka_saga.wire.envelope import Envelope
from kafka_saga.wire.ids import event_id, start_id
from tests.chain.definition import CHAIN
from tests.e2e.support.fleet import Fleet, Member
from tests.e2e.support.observed import Log, publish

DEFINITIONS = "tests.chain.definition:CHAIN"
STEPS = tuple(CHAIN.steps_by_name)
EVENTS = tuple(CHAIN.events)
FIRST, LAST = EVENTS[0], EVENTS[-1]
TOPICS = (*topic_names(CHAIN), SAGA_STEPS, SAGA_STATE, SAGA_LIFECYCLE)


def service(fleet: Fleet, step: str, name: str | None = None, **environment: str) -> Member:
    """A service of one step, whose handlers write to the fleet's journal."""
    gates = fleet.home / "gates"
    gates.mkdir(exist_ok=True)
    own = {"CHAIN_JOURNAL": str(fleet.home / "journal"), "CHAIN_GATES": str(gates), **environment}
    return fleet.start(name or step, "tests.chain", step, **own)


def tracker(fleet: Fleet, **environment: str) -> Member:
    """A tracker that follows the chain."""
    return fleet.start("tracker", "services.tracker", SAGA_DEFINITIONS=DEFINITIONS, **environment)


def start_sagas(bootstrap: str, names: Iterable[str], text: str = "") -> set[str]:
    """Publish a plain start for each name; the saga ids."""
    found = list(names)
    publish(bootstrap, FIRST, (json.dumps({"name": n, "number": 1, "text": text}).encode() for n in found))
    return {f"{name}@1" for name in found}


def journal(home: Path) -> list[dict[str, str | int]]:
    """What the handlers have written down, in order."""
    file = home / "journal"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def starts(home: Path, step: str, saga: str) -> list[int]:
    """The pids that started this saga's handler, in order."""
    return [int(e["pid"]) for e in journal(home) if (e["what"], e["step"], e["saga"]) == ("start", step, saga)]


def has_group(names: Collection[str], fleet: Fleet) -> bool:
    """Whether each of these has partitions assigned."""
    return all(fleet[name].said("assigned: partitions") for name in names)


def assert_exactly_once(log: Log, sagas: Collection[str], prefix: str) -> None:
    """Every saga has each event once, ids are unique and what they should be, and causes lead to the first event."""
    chains = _by_saga(log, prefix)
    assert set(chains) == set(sagas)
    for saga, events in chains.items():
        assert Counter(envelope.type for envelope in events) == dict.fromkeys(EVENTS, 1), saga
        _assert_caused(saga, {envelope.type: envelope for envelope in events})
    ids = Counter(envelope.id for events in chains.values() for envelope in events)
    assert not {one: number for one, number in ids.items() if number > 1}
    _assert_terminal_records(log, chains)


def _assert_caused(saga: str, events: Mapping[str, Envelope]) -> None:
    first = events[FIRST]
    assert (first.causation_id, first.id) == (None, start_id(saga, FIRST))
    for step in CHAIN.steps:
        cause, effect = events[step.on.event_type], events[step.emits[0].event_type]
        assert (effect.causation_id, effect.step) == (cause.id, step.name), saga
        assert effect.id == event_id(cause.id, step.name, effect.type, 0, 0)


def _assert_terminal_records(log: Log, chains: Mapping[str, list[Envelope]]) -> None:
    """Each delivery ends in one outcome, and no report says anything else about it."""
    caused = Counter(e.causation_id for events in chains.values() for e in events if e.causation_id)
    triggers = [e.id for events in chains.values() for e in events if e.type != LAST]
    assert caused == dict.fromkeys(triggers, 1)
    reports = (envelope for envelope, _ in log.events(SAGA_STEPS) if envelope.type != StepProgress.event_type)
    assert not {envelope.causation_id for envelope in reports} & set(triggers)


def assert_tracked(log: Log, sagas: Collection[str], prefix: str) -> None:
    """The last state of each saga is complete and says what is on the log; the lifecycle says so once."""
    states = last_states(log, prefix)
    assert set(states) == set(sagas)
    where = {(e.id): (record.partition, record.offset) for topic in EVENTS for e, record in log.events(topic, prefix)}
    for saga, state in states.items():
        assert (state.status, state.end) == (SagaStatus.COMPLETED, LAST), saga
        assert {step.status for step in state.steps} == {StepStatus.DONE}
        assert [event.type for event in state.events] == list(EVENTS)
        assert all(where[event.id] == (state.partition, event.offset) for event in state.events)
        assert (state.revision, state.unmatched, state.held_events) == (len(EVENTS), (), ())
    milestones = Counter((envelope.subject, envelope.type) for envelope, _ in log.events(SAGA_LIFECYCLE, prefix))
    kinds = (SagaStarted.event_type, SagaCompleted.event_type)
    assert milestones == {(saga, kind): 1 for saga in sagas for kind in kinds}


def last_states(log: Log, prefix: str) -> dict[str, SagaState]:
    """The last state of each saga; revisions only ever go up."""
    states: dict[str, SagaState] = {}
    for record in _in_order(log.records[SAGA_STATE]):
        if record.key is None or record.value is None or not record.key.startswith(prefix.encode()):
            continue
        state = decode(record.value)
        before = states.get(state.saga_id)
        assert before is None or before.revision < state.revision, f"{state.saga_id} went back at {record.where}"
        states[state.saga_id] = state
    return states


def is_tracked_to_the_end(log: Log, sagas: Collection[str], prefix: str) -> bool:
    """Whether the lifecycle has the end of every saga."""
    ended = {e.subject for e, _ in log.events(SAGA_LIFECYCLE, prefix) if e.type == SagaCompleted.event_type}
    return ended >= set(sagas)


def _by_saga(log: Log, prefix: str) -> dict[str, list[Envelope]]:
    found: dict[str, list[Envelope]] = {}
    for topic in EVENTS:
        for envelope, _ in log.events(topic, prefix):
            found.setdefault(envelope.subject, []).append(envelope)
    return found


def _in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.partition, record.offset))
