"""Invariants 2 to 4 of docs/architecture.md 7: every event has its cause, and every delivery ends once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from kafka_saga.events.lifecycle import CommandAccepted, CommandRefused
from kafka_saga.wire.control import SAGA as SAGA_SCOPE
from kafka_saga.wire.step_commands import EXECUTE
from tests.simulation.history import History, about
from tests.simulation.rules import Findings, rule
from tests.simulation.seen import NOBODY, Place, SagaName, Seen, StepOf

Delivered = tuple[Place, str]
"""The record that asked for work, and the step that was asked."""


@rule
def outcomes_are_seen_once(log: History) -> Findings:
    """2. Each outcome at most once; a foreign duplicate of its cause may repeat it."""
    for identity, seen in log.by_id.items():
        if seen[0].topic in log.start_topics:
            continue
        causes = log.by_id.get(seen[0].cause, ())
        is_first = any(cause.topic in log.start_topics for cause in causes)
        times = 1 if is_first else max(1, len(causes))  # a start that comes again is no delivery, but skipped
        if len(seen) > times + _foreign(seen):
            text = f"{seen[0].type} of {seen[0].saga} ({identity}) is on the log {len(seen)} times: {_places(seen)}"
            yield seen[0].name, text
    for (name, cause, step, epoch), types in _outcome_types(log).items():
        if len(types) > 1 and len(log.by_id.get(cause, ())) < 2:
            ends = " and ".join(sorted(types))
            yield name, f"step {step} has ended by {ends} in epoch {epoch} of one trigger {cause}"


@rule
def every_event_goes_back_to_the_start(log: History) -> Findings:
    """3. Causation chains."""
    sound = {seen.id for seen in (*log.starts, *log.strays)}
    everything = (*log.events, *log.compensated, *log.work, *log.reports)
    for seen in sorted(everything, key=lambda seen: seen.written_at):
        chain, at = list[str](), seen
        while at.id not in sound:
            chain.append(at.id)
            causes = log.by_id.get(at.cause, ()) if at.cause not in sound else (seen,)
            if not causes or at.cause in chain:
                text = f"{seen} ({seen.type} of {seen.saga}): what caused {at.type} ({at.cause}) is not on the log"
                yield seen.name, text
                break
            if at.cause in sound:
                sound.update(chain)
                break
            at = causes[0]
        else:
            sound.update(chain)


@rule
def every_delivery_ends_once(log: History) -> Findings:
    """4. One terminal record a delivery; nothing is lost."""
    yield from _of_starts(log)
    reported = Counter((report.delivery, report.step) for report in log.reports)
    for (place, step), times in reported.items():
        if times > 1:
            text = f"the delivery at {place} to {step} is reported as ended {times} times"
            yield about(log.at.get(place)), text
    for each in log.steps:
        yield from _of_triggers(log, each, reported)
        yield from _of_work(log, each, reported)
    yield from _of_commands(log)


@rule
def attempts_are_one_at_a_time_and_counted(log: History) -> Findings:
    """4. A delivery is asked for again only when the one before has ended; attempts count from 1, by failures."""
    for step in log.steps:
        ends = _ends_of_deliveries(log, step)
        for cause, asked in _executions(log, step).items():
            triggers = log.by_id.get(cause, ())
            for before, seen in enumerate(asked):
                last = asked[before - 1] if before else triggers[0] if triggers else None
                if last is None:
                    continue  # that its cause is not there is said elsewhere
                # An older epoch's is gated, and settling does not wait for it for ever.
                has_ended = any(end <= seen.written_at for end in ends.get(last.id, ()))
                if last.epoch == seen.epoch and not has_ended:
                    text = f"{seen.saga}: {step.name} is asked for by {seen} before its last delivery has ended"
                    yield seen.name, text
                if seen.attempt > before + 2:
                    what = f"attempt {seen.attempt} in delivery {before + 2} of {cause}"
                    yield seen.name, f"{seen.saga}: {step.name} has {what}"
        for report in log.reports:
            is_first = report.step == step.name and report.delivery[0] == step.on
            if is_first and report.headers.get("ce_attempt") != "1":
                text = f"{report.saga}: the first delivery to {step.name} is reported as attempt {report.attempt}"
                yield report.name, text


def _executions(log: History, step: StepOf) -> Mapping[str, list[Seen]]:
    """The commands to run a step, in the order in which they were written, by the trigger."""
    found: dict[str, list[Seen]] = defaultdict(list)
    for seen in sorted(log.sound(step.work_topic), key=lambda seen: seen.written_at):
        if seen.type == EXECUTE:
            found[seen.cause].append(seen)
    return found


def _outcome_types(log: History) -> dict[tuple[SagaName, str, str, int], set[str]]:
    found: dict[tuple[SagaName, str, str, int], set[str]] = defaultdict(set)
    for step in log.steps:
        for seen in log.outcomes(step):
            found[seen.name, seen.cause, seen.step, seen.epoch].add(seen.type)
    return found


def _foreign(seen: Sequence[Seen]) -> int:
    """How many of these records somebody else has emitted again."""
    return sum(one.is_foreign for one in seen)


def _places(seen: Sequence[Seen]) -> str:
    return ", ".join(map(str, seen))


def _of_starts(log: History) -> Findings:
    for topic, definition in log.start_topics.items():
        misplaced = {seen.place for seen in log.of(topic) if seen.stray == "misplaced"}
        raw = [seen for seen in log.of(topic) if not seen.saga or seen.place in misplaced]
        starts = [seen for seen in log.starts if seen.topic == topic and not log.is_other(seen)]
        taken_in = len(starts) + sum(seen.place in log.dead for seen in raw)
        is_held = any(step.on == topic and log.is_held(step) for step in log.steps)
        if taken_in > len(raw) or (taken_in < len(raw) and not is_held):
            text = f"{len(raw)} raw starts of {definition} have led to {len(starts)} normalised ones"
            yield SagaName(definition, ""), text


def _of_triggers(log: History, step: StepOf, reported: Counter[Delivered]) -> Findings:
    triggers: dict[str, list[Seen]] = defaultdict(list)
    for seen in log.of(step.on):
        if seen.saga and seen.stray != "misplaced" and seen.place not in log.dead and _is_for(seen, step):
            triggers[seen.id].append(seen)
    ended = Counter(
        seen.cause
        for seen in log.outcomes(step)
        if seen.command is None and not seen.is_foreign and seen.headers.get("ce_source") != "/tracker"
    )
    for identity, deliveries in triggers.items():
        ends = ended[identity] + sum(reported[one.place, step.name] for one in deliveries)
        if ends > len(deliveries) or (ends < len(deliveries) and not log.is_held(step)):
            what = f"{len(deliveries)} deliveries of {_places(deliveries)} to {step.name}"
            yield deliveries[0].name, f"{deliveries[0].saga}: {what} have ended {ends} times"


def _is_for(seen: Seen, step: StepOf) -> bool:
    """Whether the step is one of the version that the event's saga follows."""
    return seen.version in step.versions


def _of_work(log: History, step: StepOf, reported: Counter[Delivered]) -> Findings:
    ends_of_work = (seen for seen in (*log.outcomes(step), *log.sound(step.compensated_type)) if not seen.is_foreign)
    ended = Counter(seen.command for seen in ends_of_work)
    for seen in log.sound(step.work_topic):
        ends = ended[seen.id] + reported[seen.place, step.name]
        if ends > 1 or (ends == 0 and not log.is_held(step)):
            text = f"{seen.saga}: {seen.type} at {seen} (attempt {seen.attempt}) has ended {ends} times"
            yield seen.name, text


def _ends_of_deliveries(log: History, step: StepOf) -> dict[str, list[int]]:
    """When the deliveries of a step ended, by the id of the record that asked for the work."""
    at = {seen.place: seen.id for topic in (step.on, step.work_topic) for seen in log.of(topic)}
    ends: dict[str, list[int]] = defaultdict(list)
    for seen in log.outcomes(step):
        ends[seen.command or seen.cause].append(seen.written_at)
    for report in log.reports:
        if report.step == step.name:
            ends[at.get(report.delivery, "")].append(report.written_at)
    return ends


def _of_commands(log: History) -> Findings:
    if not log.states and not log.told:
        return
    answered = Counter(
        told.event.command_id for told in log.told if isinstance(told.event, CommandAccepted | CommandRefused)
    )
    for seen, command in log.commands:
        if command.scope.startswith(SAGA_SCOPE) and answered[seen.id] != 1:
            yield NOBODY, f"command {seen.id} ({command.command} {command.scope}) is answered {answered[seen.id]} times"
