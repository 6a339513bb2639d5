"""Sorts the log by saga.

Only the wire counts: headers, lifecycle events, commands. A ruling stands where its ground ends: everything of log time
before its `until` was known when it was made, whenever it was written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_CONTROL, SAGA_STATE, SAGA_STEPS
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import CommandAccepted, Ruling
from kafka_saga.wire.control import SAGA, of_saga
from kafka_saga.wire.ids import key_of
from kafka_saga.wire.step_commands import COMPENSATE, EXECUTE
from tests.simulation.history import History
from tests.simulation.reference.clocks import Interval
from tests.simulation.reference.timelines import Asked, Batch, Cut, Fact, Log, Timeline, Wide
from tests.simulation.seen import SagaName, Seen, Told

REPORTS = frozenset({"step.failed", "step.parked", "step.skipped"})


def read(log: History) -> Log:
    """The log of a run."""
    found = _timelines(log)
    for timeline in found.values():
        timeline.held_since = _held_since(timeline, log)
        timeline.forgotten_at = _forgotten_at(timeline, log)
    _add_commands(found, log.commands)
    _add_batches(found, log)
    drifts = _drifts(log)
    cuts = {number: cuts for number, cuts in _cuts(log.told).items() if not drifts.get(number)}
    return Log(found, _wide(log), cuts, drifts)


# ---- facts


def _timelines(log: History) -> dict[SagaName, Timeline]:
    seen_of: dict[SagaName, list[Seen]] = defaultdict(list)
    for topic in dict.fromkeys(_fact_topics(log.definitions)):
        for seen in log.of(topic):
            if seen.saga and (topic != SAGA_STEPS or seen.type in REPORTS) and _is_well_formed(seen, log):
                seen_of[seen.name].append(seen)
    known = {saga.name for saga in log.definitions}
    return {
        name: _timeline(name, seen, log.saga_of(name)) for name, seen in seen_of.items() if name.definition in known
    }


def _fact_topics(definitions: Iterable[Saga]) -> Iterator[str]:
    for saga in definitions:
        yield from saga.events
        yield from (step.compensated_type for step in saga.steps)
    yield SAGA_STEPS


def _is_well_formed(seen: Seen, log: History) -> bool:
    """Whether the record's key, type and partition are those of the saga it names."""
    is_typed = seen.topic in {SAGA_STEPS, seen.type}
    is_keyed = seen.key == key_of(seen.saga).encode()
    return is_typed and is_keyed and log.partition(seen.name) in {None, seen.partition}


def _timeline(name: SagaName, all_seen: Sequence[Seen], definition: Saga) -> Timeline:
    """Of records with one id the first counts; one is taken in as soon as its cause is known."""
    ordered = sorted(all_seen, key=lambda seen: (seen.written_at, seen.offset))
    timeline = Timeline(name, definition, ordered[0].partition)
    known: dict[str, Fact] = {}
    waiting: dict[str, Seen] = {}
    for seen in ordered:
        if seen.topic == definition.starts_on.event_type and not seen.cause:
            timeline.starts.append(seen)
        if not _fits(seen, definition) or seen.id in known or seen.id in waiting:
            timeline.unfit.append(seen)
        else:
            waiting[seen.id] = seen
            _settle(waiting, known)
    timeline.unfit += waiting.values()
    timeline.facts = sorted(known.values(), key=lambda fact: (fact.at, fact.depth, fact.seen.offset))
    return timeline


def _fits(seen: Seen, definition: Saga) -> bool:
    """Whether the definition has a place for an event or a report."""
    step = definition.steps_by_name.get(seen.step)
    if seen.topic == SAGA_STEPS:
        return step is not None and bool(seen.cause)
    if not seen.cause:
        return seen.type == definition.starts_on.event_type
    if step is None:
        return False
    undone = (step.compensated_type,) if step.compensates else ()
    return seen.type in (*(event.event_type for event in (*step.emits, *step.also)), *undone)


def _settle(waiting: dict[str, Seen], known: dict[str, Fact]) -> None:
    """Take in what has its cause, as often as something new is known by that; the rest waits on."""
    ready = [seen for seen in waiting.values() if not seen.cause or seen.cause in known]
    while ready:
        for seen in ready:
            cause = known.get(seen.cause)
            at, depth = (seen.written_at, 0) if cause is None else (max(seen.written_at, cause.at), cause.depth + 1)
            known[seen.id] = Fact(at, depth, seen)
            del waiting[seen.id]
        ready = [seen for seen in waiting.values() if seen.cause in known]


# ---- commands, and what services are told


def _add_commands(found: Mapping[SagaName, Timeline], commands: Iterable[tuple[Seen, SagaCommand]]) -> None:
    by_id: dict[str, list[Timeline]] = defaultdict(list)
    for name, timeline in found.items():
        by_id[name.id].append(timeline)
    for seen, command in sorted(commands, key=lambda pair: (pair[0].written_at, pair[0].offset)):
        if command.scope.startswith(SAGA):
            for timeline in by_id.get(command.scope.removeprefix(SAGA), ()):
                timeline.asked.append(Asked(seen.written_at, seen.id, command))


def _held_since(timeline: Timeline, log: History) -> set[int]:
    key = of_saga(timeline.name.id).encode()
    entries = (json.loads(seen.value) for seen in log.of(SAGA_CONTROL) if seen.key == key and seen.value)
    return {entry["paused"]["at"] for entry in entries if entry.get("paused")}


def _forgotten_at(timeline: Timeline, log: History) -> int | None:
    """When the table has lost what it said of the saga; not of a command about it before it began."""
    key, is_known = timeline.name.id.encode(), False
    for seen in log.of(SAGA_STATE):
        if seen.key == key and seen.partition == timeline.partition:
            if seen.value is None and is_known:
                return seen.written_at
            is_known = is_known or b'"definition":""' not in (seen.value or b'"definition":""')
    return None


def _wide(log: History) -> Wide:
    """Pauses that the tracker has accepted, from the time of the command that began each."""
    accepted = {
        (told.seen.partition, told.event.command_id) for told in log.told if isinstance(told.event, CommandAccepted)
    }
    found: dict[tuple[int, str], list[Interval]] = defaultdict(list)
    for seen, command in sorted(log.commands, key=lambda pair: (pair[0].partition, pair[0].offset)):
        if command.scope.startswith(SAGA) or (seen.partition, seen.id) not in accepted:
            continue
        pauses = found[seen.partition, command.scope]
        if command.command is Act.PAUSE:
            pauses.append((seen.written_at, None))
        elif command.command is Act.RESUME and pauses:
            pauses[-1] = (pauses[-1][0], max(seen.written_at, pauses[-1][0]))
    return Wide(found)


# ---- what the tracker wrote


def _add_batches(found: Mapping[SagaName, Timeline], log: History) -> None:
    """Records of one saga that carry one time of writing were decided at once."""
    told_at: dict[tuple[SagaName, str], list[Told]] = defaultdict(list)
    work_at: dict[tuple[SagaName, str], list[Seen]] = defaultdict(list)
    for told in sorted(log.told, key=lambda one: (one.seen.partition, one.seen.offset)):
        for timeline in _meant(found, told.seen):
            told_at[timeline.name, told.seen.headers.get("ce_time", "")].append(told)
    for seen in sorted(log.work, key=lambda seen: (seen.written_at, seen.offset)):
        for timeline in _meant(found, seen) if seen.type in {EXECUTE, COMPENSATE} else ():
            work_at[timeline.name, seen.headers.get("ce_time", "")].append(seen)
    for place in dict.fromkeys((*told_at, *work_at)):
        found[place[0]].batches += _batches(told_at.get(place, []), work_at.get(place, []))


def _meant(found: Mapping[SagaName, Timeline], seen: Seen) -> list[Timeline]:
    """The saga of a record; of a command that came before anything was known of its saga, whoever has that id."""
    if seen.definition:
        return [found[seen.name]] if seen.name in found else []
    return [timeline for name, timeline in found.items() if name.id == seen.saga]


def _batches(told: Sequence[Told], work: Sequence[Seen]) -> Iterator[Batch]:
    """One batch a ruling: what is told before a ruling's own record belongs to it."""
    written = min(seen.written_at for seen in (*(one.seen for one in told), *work))
    untils = [until for one in told if (until := _until(one)) is not None]
    left: list[Told] = list(told)
    for until in dict.fromkeys(untils[:-1]):
        if until != untils[-1]:
            last = max(place for place, one in enumerate(left) if _until(one) == until)
            yield Batch(min(until, written), written, tuple(left[: last + 1]), tuple(work), goes_on=True)
            left, work = left[last + 1 :], ()
    yield Batch(min(untils[-1], written) if untils else None, written, tuple(left), tuple(work))


def _until(told: Told) -> int | None:
    return told.event.until if isinstance(told.event, Ruling) else None


def _cuts(told: Iterable[Told]) -> dict[int, list[Cut]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for one in told:
        if isinstance(one.event, Ruling):
            known = found[one.seen.partition]
            known[one.event.until] = min(one.seen.at, known.get(one.event.until, one.seen.at))
    return {number: [Cut(*pair) for pair in sorted(cuts.items())] for number, cuts in found.items()}


def _drifts(log: History) -> dict[int, int]:
    """By partition number, how far the clocks are apart of the topics that tell of sagas."""
    found: dict[int, int] = defaultdict(int)
    for records in log.records.values():
        for seen in records:
            if seen.drift:
                found[seen.partition] = max(found[seen.partition], abs(seen.drift))
    return dict(found)
