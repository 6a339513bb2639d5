"""Invariants that count: keyed state, processes killed by a record, dead letters, and where states lie."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kafka_saga.definition.topics import DEAD_LETTERS, SAGA_COMMANDS
from kafka_saga.wire.codec import Codec
from tests.simulation.definitions.facts import Fact
from tests.simulation.handlers import Called
from tests.simulation.history import History, letter_of
from tests.simulation.processes import Loss
from tests.simulation.rules import Findings, rule
from tests.simulation.seen import NOBODY, SagaName, Seen, StepOf
from tests.simulation.strays import DEAD

GIVEN_UP_AT = 3
"""Processes that a delivery may kill."""

TRACKER = "tracker"


class Owners(NamedTuple):
    """Which service has which step (by definition and step name), and which of them keep state."""

    services: Mapping[tuple[str, str], str]
    stateful: frozenset[str]


@rule
def keyed_state_counts(log: History, owners: Owners) -> Findings:
    """The numbers that a stateful service has put into its committed outcomes of one key are 1 to k, each once."""
    found: dict[tuple[str, str, bytes], list[int]] = defaultdict(list)
    codec = Codec(event for saga in log.definitions for event in saga.events.values())
    for step in log.steps:
        service = owners.services.get((step.definition, step.name), "")
        for seen in log.outcomes(step) if service in owners.stateful else ():
            if not seen.is_foreign and seen.headers.get("ce_source") != "/tracker":
                found[step.definition, service, seen.key or b""].append(_number(codec, seen))
    for (definition, service, key), numbers in found.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield SagaName(definition, ""), f"{service} has counted {sorted(numbers)} for the key {key.decode()}"


@rule
def by_products_come_with_their_outcome(log: History) -> Findings:
    """An outcome that says so is followed by every by-product that its step declares, of the same cause and epoch."""
    codec = Codec(event for saga in log.definitions for event in saga.events.values())
    known = {(seen.cause, seen.step, seen.type, seen.epoch) for seen in log.events}
    for step in log.steps:
        for seen in log.outcomes(step):
            declared = step.versions[seen.version].also if seen.version in step.versions else ()
            if not declared or seen.headers.get("ce_source") == "/tracker" or not _has_by_products(codec, seen):
                continue
            for event in declared:
                if (seen.cause, seen.step, event.event_type, seen.epoch) not in known:
                    yield seen.name, f"{seen.saga}: {seen} ({seen.type}) comes without {event.event_type}"


def _has_by_products(codec: Codec, seen: Seen) -> bool:
    fact = codec.decode(seen.type, seen.value)
    return isinstance(fact, Fact) and fact.also


@rule
def a_killer_is_given_up_at_three(
    log: History, calls: Sequence[Called], losses: Sequence[Loss], outages: int
) -> Findings:
    """A delivery kills three processes at most; one that is given up has had three chances to have killed one.

    A process that is lost is a chance, and so is each of the broker's `outages`: partitions cannot be handed over then.
    """
    killed = Counter((call.delivery, call.name, call.step) for call in calls if call.killed)
    for (place, name, step), times in killed.items():
        if times > GIVEN_UP_AT:
            yield name, f"{name.id}: {step} at {place} has killed {times} processes"
    for report in log.reports:
        service = report.headers.get("ce_source", "").removeprefix("/services/")
        own = [loss for loss in losses if loss.process.split("/")[0] == service and loss.at <= report.written_at]
        if report.headers.get("ce_code") == "crashed" and len(own) + outages < GIVEN_UP_AT:
            what = f"{report.step} at {report.delivery} is given up after {len(own)} losses of its service"
            yield report.name, f"{report.saga}: {what}"


@rule
def dead_letters_keep_what_cannot_be_read(log: History, owners: Owners) -> Findings:
    """Of each stray that cannot be read there is one dead letter for each who consumes it; its saga is told of it."""
    letters = Counter((letter_of(letter), letter.headers["dlq_service"]) for letter in log.of(DEAD_LETTERS))
    reported = Counter((report.delivery, report.step) for report in log.reports)
    for seen in log.strays:
        if seen.stray not in DEAD or (seen.stray == "misplaced" and seen.topic in log.start_topics):
            continue
        for service, step in _consumers(log, owners, seen):
            is_held = step is not None and log.is_held(step)
            times = letters[seen.place, service]
            if times > 1 or (times == 0 and not is_held):
                yield _about(seen), f"{seen.stray} at {seen} is dead-lettered {times} times by {service}"
            told = reported[seen.place, step.name] if step is not None else 1
            if times == 1 and seen.stray == "undecodable" and told != 1:
                yield _about(seen), f"{seen.stray} at {seen} is reported {told} times by {service}"


@rule
def states_lie_where_they_belong(log: History) -> Findings:
    """A saga's state lies in its own partition, and nowhere else."""
    for one in log.last_states:
        right = log.partition(one.name)
        if right is not None and one.seen.partition != right and not one.is_forgotten:
            yield one.name, f"{one.name} has a state in partition {one.seen.partition}, its own is {right}"


def _number(codec: Codec, seen: Seen) -> int:
    event = codec.decode(seen.topic, seen.value, seen.headers.get("content-type"))
    assert isinstance(event, Fact)
    return event.number


def _about(seen: Seen) -> SagaName:
    return seen.name if "@" in seen.saga[1:] else NOBODY


def _consumers(log: History, owners: Owners, seen: Seen) -> Iterator[tuple[str, StepOf | None]]:
    """Who has to dead-letter a stray, each with the step by which it consumes it."""
    if seen.topic == SAGA_COMMANDS:
        yield TRACKER, None
    for step in log.steps:
        is_known = seen.stray == "garbage" or not seen.saga or seen.version in step.versions
        if seen.topic == step.work_topic or (seen.topic == step.on and is_known):
            yield owners.services[step.definition, step.name], step
