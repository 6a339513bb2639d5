"""What keeps a review from going on, in a sentence: services that are not there, or a pause of more than one saga."""

from __future__ import annotations

from services.chassis.partitioner import partition_of
from services.chassis.port import Cluster
from services.cli.diagnosis import missing_services, sentence
from services.cli.groups import Groups
from services.cli.output import now
from services.cli.reading import partition_count
from services.cli.surroundings import control_of, held_in
from services.cli.views.why import held_sentence
from services.tracker.core.state import SagaState, StepState
from topology.code_review import CODE_REVIEW
from topology.topics import SAGA_CONTROL


def hindrance(cluster: Cluster, groups: Groups, state: SagaState | None, saga_id: str) -> str:
    """What is to be said about a saga in which nothing happens; empty if nothing is known. `state` none: unseen."""
    if missing := missing_services(groups, state):
        return sentence(missing)
    seen = state or _unseen(saga_id, partition_count(cluster, SAGA_CONTROL))
    return " ".join(held_sentence(held, now()) for held in held_in(control_of(cluster, seen), seen))


def _unseen(saga_id: str, partitions: int) -> SagaState:
    """A review of which the tracker has not heard: all its steps are to come."""
    number = partition_of(saga_id.rpartition("@")[0].encode(), partitions)
    steps = tuple(StepState(step.name) for step in CODE_REVIEW.steps)
    return SagaState(saga_id, CODE_REVIEW.name, CODE_REVIEW.version, number, steps=steps)
