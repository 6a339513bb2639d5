"""How far the services of a definition's steps are behind, by what their consumer groups have committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from kafka_saga.api.topology import Lag
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.reading import records_from
from kafka_saga.broker.records import Committed, TopicPartition
from kafka_saga.definition.model import Saga, Step
from kafka_saga.engine.offset_tracker import decode as position_of
from kafka_saga.inspection.log.deployed import Deployed
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.inspection.log.times import now

EXACT = 2_000
"""Up to how many offsets behind records are counted one by one, since transaction markers take offsets, too."""

FEW = 1_000
"""How many records are looked at for the oldest, where they are not counted."""

QUESTIONS = 6
"""How many groups are asked at once."""


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


def lags(cluster: Cluster, groups: Groups, definition: Saga, deployed: Deployed) -> dict[str, AtStep]:
    """Every step of a definition; of one that no service announces, the topics alone.

    Raises UnavailableError if Kafka does not answer.
    """
    counts = cluster.admin().partitions([topic for step in definition.steps for topic in topics_of_step(step)])
    places = {
        step.name: [
            TopicPartition(topic, number) for topic in topics_of_step(step) for number in range(counts.get(topic, 0))
        ]
        for step in definition.steps
    }
    owners = {step.name: deployed.owner(definition.name, definition.version, step.name) for step in definition.steps}
    done = _done(groups, owners, places)
    services = sorted({name for name in owners.values() if name is not None} & done.keys())
    members = groups.members(services) if services else {}
    read = [step.name for step in definition.steps if owners[step.name] in done]
    behind = _lags(cluster, {step: places[step] for step in read}, {step: done[owners[step] or ""] for step in read})
    return {
        step.name: AtStep(
            topics_of_step(step), owners[step.name], members.get(owners[step.name] or ""), behind.get(step.name)
        )
        for step in definition.steps
    }


def _done(
    groups: Groups, owners: Mapping[str, str | None], places: Mapping[str, Sequence[TopicPartition]]
) -> dict[str, Mapping[TopicPartition, Committed]]:
    """What the services of the steps whose topics are there have committed: one question to each."""
    wanted = dict.fromkeys(owner for step, owner in owners.items() if owner is not None and places[step])
    everywhere = sorted({at for own in places.values() for at in own})
    with ThreadPoolExecutor(QUESTIONS) as asking:
        return dict(zip(wanted, asking.map(lambda name: groups.committed(name, everywhere), wanted), strict=True))


@dataclass(frozen=True, slots=True)
class _Left:
    """What a step has before it: unfinished records below where it goes on, from where it reads on, and how far."""

    unfinished: int
    positions: Mapping[TopicPartition, int | None]
    rough: int

    @property
    def is_exact(self) -> bool:
        """Whether its records are counted one by one."""
        return self.rough <= EXACT


def _lags(
    cluster: Cluster,
    places: Mapping[str, Sequence[TopicPartition]],
    done: Mapping[str, Mapping[TopicPartition, Committed]],
) -> dict[str, Lag]:
    """Of each step; those that are nearly through are read all at once."""
    ends = cluster.admin().end_offsets(sorted({at for own in places.values() for at in own})) if places else {}
    left = {step: _left(own, done[step], ends) for step, own in places.items()}
    nearly = {at: start for one in left.values() if one.is_exact for at, start in one.positions.items()}
    stamps: dict[TopicPartition, list[int]] = {}
    for record in islice(records_from(cluster, nearly), EXACT * len(left)):
        stamps.setdefault(TopicPartition(record.topic, record.partition), []).append(record.timestamp)
    return {step: _lag(cluster, one, stamps) for step, one in left.items()}


def _left(
    places: Sequence[TopicPartition],
    committed: Mapping[TopicPartition, Committed],
    ends: Mapping[TopicPartition, int],
) -> _Left:
    unfinished, rough = 0, 0
    positions: dict[TopicPartition, int | None] = {}
    for at in places:
        done = committed.get(at)
        position = position_of(done) if done is not None else None
        unfinished += len(position.unfinished) if position is not None else 0
        start = position.next if position is not None else None
        if (start or 0) < ends.get(at, 0):
            positions[at] = start
            rough += ends[at] - (start or 0)
    return _Left(unfinished, positions, rough)


def _lag(cluster: Cluster, left: _Left, stamps: Mapping[TopicPartition, Sequence[int]]) -> Lag:
    if left.is_exact:
        found = [stamp for at in left.positions for stamp in stamps.get(at, ())]
    else:
        found = [one.timestamp for one in islice(records_from(cluster, left.positions), FEW)]
    oldest = max(0, now() - min(found)) / 1000 if found else None
    return Lag(events=left.unfinished + (len(found) if left.is_exact else left.rough), seconds=oldest)
