"""What a ruling stands on: everything that lies before its time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_STEPS
from kafka_saga.events.lifecycle import Ruling
from tests.simulation.history import History
from tests.simulation.rules import Findings, rule
from tests.simulation.seen import Seen

Place = tuple[str, int]
"""A topic and a partition of it."""


@rule
def a_ruling_knows_all_that_lies_before_it(log: History) -> Findings:
    """6. When a ruling is made, every record of log time before its `until` has been read, undecided ones included."""
    left = {place: _earliest_from(records) for place, records in _inputs(log).items()}
    for told in log.told:
        if isinstance(told.event, Ruling):
            for (topic, partition), (offsets, earliest) in left.items():
                if partition != told.seen.partition or topic not in told.event.read:
                    continue  # a topic that is not named there is of a definition that the tracker does not know yet
                place = bisect_left(offsets, told.event.read[topic])
                if place < len(offsets) and earliest[place] < told.event.until:
                    late = told.event.until - earliest[place]
                    what = f"{told.event.event_type} at {told.seen} was made without a record of {topic}"
                    yield told.seen.name, f"{told.seen.saga}: {what} that lies {late} ms before its time"


def _inputs(log: History) -> Mapping[Place, Sequence[Seen]]:
    """What trackers read, by topic and partition, in the order of offsets."""
    topics = dict.fromkeys(topic for saga in log.definitions for topic in saga.events)
    undone = dict.fromkeys(step.compensated_type for saga in log.definitions for step in saga.steps if step.compensates)
    found: dict[Place, list[Seen]] = {}
    for topic in (*topics, *undone, SAGA_STEPS, SAGA_COMMANDS):
        for seen in log.of(topic):
            found.setdefault((topic, seen.partition), []).append(seen)
    return found


def _earliest_from(records: Sequence[Seen]) -> tuple[list[int], list[int]]:
    """The offsets of records, and for each the earliest time of it and those behind it.

    That is log time; nobody can know before it is written what a clock that was set back stamps.
    """
    earliest: list[int] = []
    for seen in reversed(records):
        time = max(seen.at, seen.written_at)
        earliest.append(min(time, earliest[-1]) if earliest else time)
    return [seen.offset for seen in records], earliest[::-1]
