"""The invariants of DESIGN 7, each a function of its own that reads the log and complains in sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from schemas.control import SAGA as SAGA_SCOPE
from schemas.events.commands import Act
from schemas.events.lifecycle import (
    CommandAccepted,
    CommandRefused,
    DeadlinePassed,
    LateOutcome,
    SagaCancelled,
    SagaCompleted,
    SagaFailed,
    SagaPaused,
    SagaResumed,
)
from schemas.work import EXECUTE
from services.tracker.core.state import SagaState, SagaStatus
from tests.simulation.history import History, Place, Seen
from tests.simulation.world import Called
from topology.model import Step

Complaints = Iterator[str]
Delivered = tuple[Place, str]
"""The record that asked for work, and the step that was asked."""

NEWER = frozenset({Act.REDRIVE, Act.REWIND, Act.SKIP})
"""Commands that take the next epoch."""

GATE_LAG = 2_000
"""Milliseconds in which a process that gets little of each poll may not have read control yet."""

FINAL = {
    SagaStatus.COMPLETED: SagaCompleted,
    SagaStatus.FAILED: SagaFailed,
    SagaStatus.CANCELLED: SagaCancelled,
}


def every_saga_ends_or_waits_for_somebody(log: History) -> Complaints:
    """1. One final status per epoch; or paused, an incident, or queued at what is paused."""
    for saga in log.sagas:
        state = log.states.get(saga)
        if state is None:
            yield f"{saga} was started, and the tracker's table does not know it"
            continue
        finals = [told.event for told in log.told_of(saga) if isinstance(told.event, tuple(FINAL.values()))]
        if len(finals) > state.epoch + 1:
            yield f"{saga} has ended {len(finals)} times in {state.epoch + 1} epochs"
        if state.status in FINAL:
            if not finals or not isinstance(finals[-1], FINAL[state.status]):
                yield f"{saga} is {state.status}, and its lifecycle ends with {finals[-1:] or 'nothing'}"
        elif not _waits(state, log):
            yield f"{saga} is {state.status} for ever: {_standing(state)}"


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


def what_failed_is_undone_once_and_in_order(log: History) -> Complaints:
    """5. Compensation."""
    undone = Counter(seen.cause for seen in log.compensated)
    for identity, times in undone.items():
        if times > 1:
            yield f"{_name(log, identity)} is undone {times} times"
    for saga, state in log.states.items():
        yield from _owed(log, saga, state, undone)
        yield from _order(log, saga)


def no_deadline_fires_after_its_outcome(log: History) -> Complaints:
    """6. No outcome of that step and epoch has log time at or before a deadline that fired."""
    for told in log.told:
        if not isinstance(told.event, DeadlinePassed) or told.event.step is None:
            continue
        fired = told.event
        for seen in _outcomes(log, log.saga.steps_by_name[fired.step or ""]):
            if seen.saga == told.seen.saga and seen.at <= fired.at and seen.epoch == fired.epoch:
                late = fired.at - seen.at
                yield f"{seen.saga}: the deadline of {fired.step} fired though {seen.type} had come {late} ms before it"


def nothing_starts_after_paused(log: History, calls: Sequence[Called]) -> Complaints:
    """8. After `paused` no handler of the saga starts, and no deadline of it runs, until it is resumed."""
    for saga in log.sagas:
        for begin, end in _pauses(log, saga):
            for call in calls:
                if call.saga_id == saga and begin < call.at < end:
                    yield f"{saga}: the handler of {call.step} starts {call.at - begin} ms after the saga was paused"
            for told in log.told_of(saga):
                if isinstance(told.event, DeadlinePassed) and begin < told.seen.at < end:
                    yield f"{saga}: the deadline of {told.event.step} fires while the saga is paused"


def nothing_starts_long_after_cancelled(log: History, calls: Sequence[Called]) -> Complaints:
    """8. The gate: a cancelled saga's deliveries are skipped, whoever takes over their partition, and when."""
    for saga in log.sagas:
        told = log.told_of(saga)
        if any(isinstance(one.event, CommandAccepted) and one.event.command in NEWER for one in told):
            continue
        if _foreign([seen for seen in log.events if seen.saga == saga]):
            continue  # one may come when the entry has gone with the last delivery that was known
        for one in told:
            if isinstance(one.event, SagaCancelled):
                late = [call for call in calls if call.saga_id == saga and call.at > one.seen.at + GATE_LAG]
                for call in late:
                    if not call.compensating:
                        yield f"{saga}: {call.step} starts {call.at - one.seen.at} ms after the saga was cancelled"


def untracked_sagas_end(log: History) -> Complaints:
    """9. With the tracker stopped, sagas without failures still complete."""
    ended = {seen.saga for topic in log.saga.ends_by_type for seen in log.of(topic)}
    for saga in log.sagas:
        if saga not in ended:
            yield f"{saga} has no final event, though nothing failed; no tracker runs"


ALWAYS: Sequence[Callable[[History], Complaints]] = (
    attempts_are_one_at_a_time_and_counted,
    outcomes_are_seen_once,
    every_event_goes_back_to_the_start,
    every_delivery_ends_once,
)
TRACKED: Sequence[Callable[[History], Complaints]] = (
    every_saga_ends_or_waits_for_somebody,
    what_failed_is_undone_once_and_in_order,
    no_deadline_fires_after_its_outcome,
)


def complaints(log: History, calls: Sequence[Called], *, tracked: bool) -> list[str]:
    """Everything that is not as it must be, each with the invariant's name."""
    found = [(check.__name__, text) for check in ALWAYS for text in check(log)]
    if tracked:
        found += [(check.__name__, text) for check in TRACKED for text in check(log)]
        for check_calls in (nothing_starts_after_paused, nothing_starts_long_after_cancelled):
            found += [(check_calls.__name__, text) for text in check_calls(log, calls)]
    else:
        found += [(untracked_sagas_end.__name__, text) for text in untracked_sagas_end(log)]
    return [f"{name}: {text}" for name, text in found]


# ---- 1


def _waits(state: SagaState, log: History) -> bool:
    if state.status is SagaStatus.PAUSED or state.incidents:
        return True
    return any(log.is_held(log.saga.steps_by_name[step.name]) for step in state.steps if step.status.is_open)


def _standing(state: SagaState) -> str:
    return ", ".join(f"{step.name} {step.status} (attempt {step.attempt})" for step in state.steps)


# ---- 2


def _outcomes(log: History, step: Step) -> list[Seen]:
    return [seen for event in step.emits for seen in log.of(event.event_type) if seen.step == step.name]


def _outcome_types(log: History) -> dict[tuple[str, str, int], set[str]]:
    found: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for step in log.saga.steps:
        for seen in _outcomes(log, step):
            found[seen.cause, seen.step, seen.epoch].add(seen.type)
    return found


def _foreign(seen: Sequence[Seen]) -> int:
    """How many of these records somebody else has emitted again."""
    return sum("sim_again" in one.headers for one in seen)


def _places(seen: Sequence[Seen]) -> str:
    return ", ".join(map(str, seen))


# ---- 4


def _of_triggers(log: History, step: Step, reported: Counter[Delivered]) -> Complaints:
    triggers: dict[str, list[Seen]] = defaultdict(list)
    for seen in log.of(step.on.event_type):
        if seen.saga and seen.place not in log.dead:
            triggers[seen.id].append(seen)
    ended = Counter(
        seen.cause
        for seen in _outcomes(log, step)
        if seen.command is None and not _foreign((seen,)) and seen.headers.get("ce_source") != "/tracker"
    )
    for identity, deliveries in triggers.items():
        ends = ended[identity] + sum(reported[one.place, step.name] for one in deliveries)
        if ends > len(deliveries) or (ends < len(deliveries) and not log.is_held(step)):
            what = f"{len(deliveries)} deliveries of {_places(deliveries)} to {step.name}"
            yield f"{deliveries[0].saga}: {what} have ended {ends} times"


def _of_work(log: History, step: Step, reported: Counter[Delivered]) -> Complaints:
    ends_of_work = (seen for seen in (*_outcomes(log, step), *log.of(step.compensated_type)) if not _foreign((seen,)))
    ended = Counter(seen.command for seen in ends_of_work)
    for seen in log.of(step.work_topic):
        ends = ended[seen.id] + reported[seen.place, step.name]
        if ends > 1 or (ends == 0 and not log.is_held(step)):
            yield f"{seen.saga}: {seen.type} at {seen} (attempt {seen.headers['ce_attempt']}) has ended {ends} times"


def _ends_of_deliveries(log: History, step: Step) -> dict[str, list[int]]:
    """When the deliveries of a step ended, by the id of the record that asked for the work."""
    at = {seen.place: seen.id for topic in (step.on.event_type, step.work_topic) for seen in log.of(topic)}
    ends: dict[str, list[int]] = defaultdict(list)
    for seen in _outcomes(log, step):
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


# ---- 5


def _owed(log: History, saga: str, state: SagaState, undone: Counter[str]) -> Complaints:
    must = state.status in (SagaStatus.FAILED, SagaStatus.CANCELLED) and not state.incidents
    waived = any(
        isinstance(told.event, CommandAccepted) and told.event.command == Act.SKIP for told in log.told_of(saga)
    )
    for step in log.saga.steps:
        if not step.compensates:
            continue
        for seen in {seen.id: seen for seen in _outcomes(log, step) if seen.saga == saga}.values():
            if must and not undone[seen.id] and not waived:
                yield f"{saga} is {state.status}, and {seen.type} of {step.name} (epoch {seen.epoch}) is not undone"
            if undone[seen.id] and state.status is SagaStatus.COMPLETED and seen.epoch >= state.epoch:
                yield f"{saga} is completed, and {seen.type} of step {step.name} (epoch {seen.epoch}) is undone"


def _order(log: History, saga: str) -> Complaints:
    late = {told.event.step for told in log.told_of(saga) if isinstance(told.event, LateOutcome)}
    undone = [seen for seen in log.compensated if seen.saga == saga and seen.step not in late]
    for first, second in pairwise(undone):
        one, other = log.by_id.get(first.cause), log.by_id.get(second.cause)
        if one and other and one[0].epoch == other[0].epoch and one[0].at < other[0].at:
            yield f"{saga}: {first.step} is undone before {second.step}, which was done after it"


def _name(log: History, identity: str) -> str:
    seen = log.by_id.get(identity)
    return f"{seen[0].type} of {seen[0].saga}" if seen else identity


# ---- 6 and 8


def _pauses(log: History, saga: str) -> Iterator[tuple[int, float]]:
    begin: int | None = None
    for told in log.told_of(saga):
        if isinstance(told.event, SagaPaused):
            begin = told.seen.at
        elif isinstance(told.event, SagaResumed) and begin is not None:
            yield begin, told.seen.at
            begin = None
    if begin is not None:
        yield begin, float("inf")
