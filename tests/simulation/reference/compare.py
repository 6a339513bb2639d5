"""The log of a run held against the reference model."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_saga.definition.model import OnConflict
from tests.simulation.complaints import Complaint
from tests.simulation.history import History
from tests.simulation.reference.following import Follower
from tests.simulation.reference.reading import read
from tests.simulation.reference.rest import tables
from tests.simulation.reference.timelines import Later, Timeline
from tests.simulation.seen import SagaName


def compare(log: History) -> list[Complaint]:
    """Everything on the log that the model does not allow, and everything it demands that is not there."""
    known, found = tables(log), list[Complaint]()
    for follower in followed(log):
        follower.on_result(known)
        found += follower.complaints
    return found


def followed(log: History) -> list[Follower]:
    """Every saga, followed to the end of the log."""
    sorted_log, found = read(log), list[Follower]()
    for timeline in sorted_log.timelines.values():
        slack = sorted_log.drifts.get(timeline.partition, 0)
        follower = Follower(timeline, sorted_log.wide, _later(timeline, sorted_log.timelines), slack)
        follower.follow(sorted_log.cuts.get(timeline.partition, ()))
        found.append(follower)
    return found


def _later(timeline: Timeline, others: Mapping[SagaName, Timeline]) -> list[Later]:
    """The sagas of the same definition and key that started later and so take its place, in the order of the log."""
    if not timeline.starts or timeline.definition.on_conflict is not OnConflict.SUPERSEDE:
        return []
    first = timeline.starts[0]
    starts = [other.starts[0] for name, other in others.items()
              if other.starts and name.definition == timeline.name.definition]  # fmt: skip
    return [Later(one.written_at, one.saga) for one in sorted(starts, key=lambda one: one.offset)
            if (one.key, one.partition) == (first.key, first.partition) and one.offset > first.offset]  # fmt: skip
