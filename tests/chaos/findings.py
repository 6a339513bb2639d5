"""What is wrong after a run: the invariants of the simulation, and what only a run with a real outside can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.tracker.core.state import SagaState, decode
from tests.chaos.evidence import histories
from tests.chaos.figures import TRACKER
from tests.chaos.journal import Deed, What
from tests.simulation.handlers import Called, Sight
from tests.simulation.history import History, Seen
from tests.simulation.invariants import complaints

KNOWN_AFTER = 20_000
"""Milliseconds after which every process has read what control says: longer than any is stopped for."""


class Findings(NamedTuple):
    """Complaints, and the figures that belong to them."""

    complaints: Sequence[str]
    lost: int
    doubled: int
    outside: Counter[str]


def findings(
    records: Mapping[str, Sequence[Record]], sagas: Sequence[Saga], deeds: Sequence[Deed], begun: Collection[str]
) -> Findings:
    """Everything that is not as it must be. `begun`: the ids of the sagas whose start Kafka has confirmed."""
    every = [record for topic in records.values() for record in topic]
    logs = [log for saga in sagas for log in histories(every, saga)]
    calls = _calls(deeds)
    found = [str(complaint) for log in logs for complaint in complaints(log, calls_of(log, calls), (), tracked=True)]
    missing = sorted(set(begun) - {saga.id for log in logs for saga in log.sagas})
    found += [f"{name} was published, and never started" for name in missing]
    found += _went_back(records.get(SAGA_STATE, ()))
    outside = effects(logs, deeds)
    found += [f"{key} is on Kafka, and nothing was done outside" for key in sorted(outside.undone)]
    lost = len(missing) + sum("has ended 0 times" in text or "for ever" in text for text in found)
    return Findings(found, lost, doubled(logs), outside.figures)


def calls_of(log: History, calls: Mapping[str, list[Called]]) -> list[Called]:
    """The calls of handlers that belong to these sagas."""
    return [replace(call, definition=saga.definition) for saga in log.sagas for call in calls.get(saga.id, ())]


def doubled(logs: Iterable[History]) -> int:
    """Records too many: events, compensations, reports and commands with one id, and starts nobody published."""
    return sum(_doubled(log) for log in logs)


def _doubled(log: History) -> int:
    """Whoever publishes a start twice has started one saga, so that its event may be there twice."""
    others = Counter(seen.id for seen in (*log.events, *log.compensated, *log.reports, *log.work))
    for seen in log.starts:
        del others[seen.id]
    raw = [seen for topic in log.start_topics for seen in log.of(topic) if not seen.saga and seen.place not in log.dead]
    return others.total() - len(others) + max(0, len(log.starts) - len(raw))


class Outside(NamedTuple):
    """Keys whose work is on Kafka and was never done, and how often the rest was done."""

    undone: frozenset[str]
    figures: Counter[str]


def effects(logs: Iterable[History], deeds: Iterable[Deed]) -> Outside:
    """Compare what was done outside, at least once, with what is on Kafka, exactly once."""
    times = Counter(deed.key for deed in deeds if deed.what is What.DONE)
    claimed = {key for log in logs for key in _claims(log)}
    again = sum(number - 1 for number in times.values())
    orphaned = len(times.keys() - claimed)
    figures = Counter(effects=sum(times.values()), again=again, orphaned=orphaned)
    return Outside(frozenset(claimed - times.keys()), figures)


def _claims(log: History) -> Iterator[str]:
    """What records say was done, by the keys that handlers give to the outside."""
    for seen in log.events:
        if seen.step and not _is_given(seen):
            yield f"{seen.saga}/{seen.step}/{seen.epoch}"
    for seen in log.compensated:
        yield f"{seen.saga}/{seen.step}.compensate/{seen.epoch}"


def _is_given(seen: Seen) -> bool:
    """By a person who skipped the step."""
    return seen.command == "given" or seen.headers.get("ce_source") == f"/{TRACKER}"


def _calls(deeds: Iterable[Deed]) -> Mapping[str, list[Called]]:
    found: dict[str, list[Called]] = {}
    for deed in deeds:
        if deed.what is What.BEGUN:
            sight = Sight("a process", deed.at - KNOWN_AFTER, {})
            found.setdefault(deed.saga, []).append(Called(deed.at, deed.saga, deed.step, deed.undoes, sight))
    return found


def _went_back(states: Iterable[Record]) -> Iterator[str]:
    """The tracker's view of a saga only ever gets newer, whoever holds its partition."""
    last: dict[str, SagaState] = {}
    for record in sorted(states, key=lambda each: (each.partition, each.offset)):
        if record.value is None:  # forgotten: a command came before its saga, and was refused
            last.pop((record.key or b"").decode(), None)
            continue
        state = decode(record.value)
        before = last.get(state.saga_id)
        if before is not None and before.revision > state.revision:
            yield f"{state.saga_id} went back from revision {before.revision} to {state.revision} at {record.where}"
        last[state.saga_id] = state
