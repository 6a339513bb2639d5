"""How far the services of a definition's steps are behind, by what their consumer groups have committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from schemas.api.topology import Lag
from services.chassis.offsets import decode as position_of
from services.chassis.port import Cluster
from services.chassis.records import Committed, TopicPartition
from services.inspection.diagnosis import TRACKER, service_of
from services.inspection.groups import Groups
from services.inspection.reading import to_the_end
from services.inspection.times import now
from topology.model import Saga, Step

EXACT = 2_000
"""Up to how many offsets behind records are counted one by one, since transaction markers take offsets, too."""

_OURS = "1|"


@dataclass(frozen=True, slots=True)
class AtStep:
    """Who works on a step, and how far that is behind; none where it is not known."""

    topics: tuple[str, ...]
    service: str | None = None
    instances: int | None = None
    lag: Lag | None = None


def topics_of_step(step: Step) -> tuple[str, ...]:
    """What a step works from: its trigger, and the tracker's commands to it."""
    return (step.on.event_type, step.work_topic)


def lags(cluster: Cluster, groups: Groups, definition: Saga) -> dict[str, AtStep]:
    """Every step of a definition. Raises UnavailableError if Kafka does not answer."""
    counts = cluster.admin().partitions([topic for step in definition.steps for topic in topics_of_step(step)])
    names = [name for name in groups.names() if name != TRACKER]
    found = {step.name: _at_step(cluster, groups, definition, step, counts, names) for step in definition.steps}
    services = sorted({one.service for one in found.values() if one.service is not None})
    members = groups.members(services) if services else {}
    return {
        name: AtStep(one.topics, one.service, members.get(one.service) if one.service else None, one.lag)
        for name, one in found.items()
    }


def _at_step(
    cluster: Cluster, groups: Groups, definition: Saga, step: Step, counts: Mapping[str, int], names: Sequence[str]
) -> AtStep:
    topics = topics_of_step(step)
    places = [TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))]
    known = service_of(definition.name, step.name)
    owners = {name: groups.committed(name, places) for name in ([known] if known else names)} if places else {}
    ours = {name: done for name, done in owners.items() if name == known or _is_service(step, done)}
    if len(ours) != 1:
        return AtStep(topics, known)
    ((service, committed),) = ours.items()
    return AtStep(topics, service, None, _lag(cluster, places, committed))


def _is_service(step: Step, committed: Mapping[TopicPartition, Committed]) -> bool:
    """Whether a group works on the step: only its owner reads the step's work topic."""
    return any(at.topic == step.work_topic and one.metadata.startswith(_OURS) for at, one in committed.items())


def _lag(cluster: Cluster, places: Sequence[TopicPartition], committed: Mapping[TopicPartition, Committed]) -> Lag:
    ends = cluster.admin().end_offsets(places)
    unfinished = 0
    left: dict[TopicPartition, int | None] = {}
    rough = 0
    for at in places:
        done = committed.get(at)
        position = position_of(done) if done is not None else None
        unfinished += len(position.unfinished) if position is not None else 0
        start = position.next if position is not None else None
        if (start or 0) < ends.get(at, 0):
            left[at] = start
            rough += ends[at] - (start or 0)
    counted, oldest = _counted(cluster, left, exact=rough <= EXACT)
    return Lag(events=unfinished + (counted if rough <= EXACT else rough), seconds=oldest)


def _counted(cluster: Cluster, left: Mapping[TopicPartition, int | None], *, exact: bool) -> tuple[int, float | None]:
    """How many records there are from these positions on, and how many seconds old the oldest of them is."""
    if not left:
        return 0, None
    reader = cluster.reader()
    try:
        stamps = [one.timestamp for one in islice(to_the_end(reader, left), EXACT if exact else 1_000)]
    finally:
        reader.close()
    return len(stamps), max(0, now() - min(stamps)) / 1000 if stamps else None
