"""Invariants 2 to 4 of DESIGN 7: every event has its cause, and every delivery ends once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from schemas.control import SAGA as SAGA_SCOPE
from schemas.events.lifecycle import CommandAccepted, CommandRefused
from schemas.work import EXECUTE
from tests.simulation.history import Complaints, History, Place, Seen
from topology.model import Step

Delivered = tuple[Place, str]
"""The record that asked for work, and the step that was asked."""


def outcomes_are_seen_once(log: History) -> Complaints:
    """2. Each outcome at most once; a foreign duplicate of its cause may repeat it."""
    for identity, seen in log.by_id.items():
        if log.saga.starts_on.event_type == seen[0].topic:
            continue
        causes = log.by_id.get(seen[0].cause, ())
        is_first = any(cause.topic == log.saga.starts_on.event_type for cause in causes)
        times = 1 if is_first else max(1, len(causes))  # a start that comes again is no delivery, but skipped
        if len(seen) > times + _foreign(seen):
            yield f"{seen[0].type} of {seen[0].saga} ({identity}) is on the log {len(seen)} times: {_places(seen)}"
    for (cause, step, epoch), types in _outcome_types(log).items():
        if len(types) > 1 and len(log.by_id.get(cause, ())) < 2:
            yield f"step {step} has ended by {' and '.join(sorted(types))} in epoch {epoch} of one trigger {cause}"


def every_event_goes_back_to_the_start(log: History) -> Complaints:
    """3. Causation chains."""
    sound = {seen.id for seen in log.starts}
    for seen in sorted((*log.events, *log.compensated, *log.work, *log.reports), key=lambda seen: seen.at):
        chain, at = list[str](), seen
        while at.id not in sound:
            chain.append(at.id)
            causes = log.by_id.get(at.cause)
            if not causes or at.cause in chain:
                yield f"{seen} ({seen.type} of {seen.saga}): what caused {at.type} ({at.cause}) is not on the log"
                break
            at = causes[0]
        else:
            sound.update(chain)


def every_delivery_ends_once(log: History) -> Complaints:
    """4. One terminal record a delivery; nothing is lost."""
    raw = [seen for seen in log.of(log.saga.starts_on.event_type) if not seen.saga]
    if len(raw) != len(log.starts) + sum(seen.place in log.dead for seen in raw):
        yield f"{len(raw)} raw starts have led to {len(log.starts)} normalised ones"
    reported = Counter((report.delivery, report.step) for report in log.reports)
    for (place, step), times in reported.items():
        if times > 1:
            yield f"the delivery at {place} to {step} is reported as ended {times} times"
    for each in log.saga.steps:
        yield from _of_triggers(log, each, reported)
        yield from _of_work(log, each, reported)
    yield from _of_commands(log)


def attempts_are_one_at_a_time_and_counted(log: History) -> Complaints:
    """4. A delivery is asked for again only when the one before has ended; attempts count from 1, by failures."""
    for step in log.saga.steps:
        ends = _ends_of_deliveries(log, step)
        asked = sorted(log.of(step.work_topic), key=lambda seen: seen.at)
        for number, seen in enumerate(asked):
            if seen.type != EXECUTE:
                continue
            before = [one for one in asked[:number] if one.type == EXECUTE and one.cause == seen.cause]
            last = before[-1] if before else log.by_id[seen.cause][0]
            # An older epoch's is gated, and settling does not wait for it for ever.
            if last.epoch == seen.epoch and not any(end <= seen.at for end in ends.get(last.id, ())):
                yield f"{seen.saga}: {step.name} is asked for by {seen} before its last delivery has ended"
            attempt = int(seen.headers["ce_attempt"])
            if attempt > len(before) + 2:
                yield f"{seen.saga}: {step.name} has attempt {attempt} in delivery {len(before) + 2} of {seen.cause}"
        for report in log.reports:
            is_first = report.step == step.name and report.delivery[0] == step.on.event_type
            if is_first and report.headers.get("ce_attempt") != "1":
                attempt_text = report.headers.get("ce_attempt")
                yield f"{report.saga}: the first delivery to {step.name} is reported as attempt {attempt_text}"


def _outcome_types(log: History) -> dict[tuple[str, str, int], set[str]]:
    found: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for step in log.saga.steps:
        for seen in log.outcomes(step):
            found[seen.cause, seen.step, seen.epoch].add(seen.type)
    return found


def _foreign(seen: Sequence[Seen]) -> int:
    """How many of these records somebody else has emitted again."""
    return sum(one.is_foreign for one in seen)


def _places(seen: Sequence[Seen]) -> str:
    return ", ".join(map(str, seen))


def _of_triggers(log: History, step: Step, reported: Counter[Delivered]) -> Complaints:
    triggers: dict[str, list[Seen]] = defaultdict(list)
    for seen in log.of(step.on.event_type):
        if seen.saga and seen.place not in log.dead:
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
            yield f"{deliveries[0].saga}: {what} have ended {ends} times"


def _of_work(log: History, step: Step, reported: Counter[Delivered]) -> Complaints:
    ends_of_work = (seen for seen in (*log.outcomes(step), *log.of(step.compensated_type)) if not seen.is_foreign)
    ended = Counter(seen.command for seen in ends_of_work)
    for seen in log.of(step.work_topic):
        ends = ended[seen.id] + reported[seen.place, step.name]
        if ends > 1 or (ends == 0 and not log.is_held(step)):
            yield f"{seen.saga}: {seen.type} at {seen} (attempt {seen.headers['ce_attempt']}) has ended {ends} times"


def _ends_of_deliveries(log: History, step: Step) -> dict[str, list[int]]:
    """When the deliveries of a step ended, by the id of the record that asked for the work."""
    at = {seen.place: seen.id for topic in (step.on.event_type, step.work_topic) for seen in log.of(topic)}
    ends: dict[str, list[int]] = defaultdict(list)
    for seen in log.outcomes(step):
        ends[seen.command or seen.cause].append(seen.at)
    for report in log.reports:
        if report.step == step.name:
            ends[at.get(report.delivery, "")].append(report.at)
    return ends


def _of_commands(log: History) -> Complaints:
    if not log.states and not log.told:
        return
    answered = Counter(
        told.event.command_id for told in log.told if isinstance(told.event, CommandAccepted | CommandRefused)
    )
    for seen, command in log.commands:
        if command.scope.startswith(SAGA_SCOPE) and answered[seen.id] != 1:
            yield f"command {seen.id} ({command.command} {command.scope}) is answered {answered[seen.id]} times"
