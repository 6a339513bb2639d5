"""The tracker as a process: which definitions it follows, and what it needs on Kafka."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from kafka_saga.definition.loader import load_definition
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.engine.processor import Roles
from kafka_saga.errors import TopologyError
from kafka_saga.steps.definition_registry import Statement
from kafka_saga.tracker.metrics import NAME, TrackerMetrics
from kafka_saga.tracker.processor import TrackerLogic
from kafka_saga.worker.process import Process, load_settings
from kafka_saga.worker.settings import Settings

DEFAULT_DEFINITIONS = "topology.code_review:CODE_REVIEW"


def run() -> None:
    """Be the tracker until told to stop. `SAGA_DEFINITIONS` names the definitions: `module:ATTRIBUTE`, by commas."""
    settings = load_settings(NAME)
    try:
        definitions = followed(os.environ.get("SAGA_DEFINITIONS", DEFAULT_DEFINITIONS))
        TrackerLogic(definitions, partitions=1)  # before Kafka is asked for: wrong ones are refused at once
    except TopologyError as error:
        sys.exit(f"{NAME}: {error}")
    _run(settings, definitions)


def followed(names: str) -> tuple[Saga, ...]:
    """The definitions behind `module:ATTRIBUTE` names, separated by commas. Raises TopologyError naming a wrong one."""
    found = tuple(load_definition(name.strip()) for name in names.split(",") if name.strip())
    if not found:
        raise TopologyError("SAGA_DEFINITIONS names no definition; give module:ATTRIBUTE, separated by commas")
    return found


def _run(settings: Settings, definitions: Sequence[Saga]) -> None:
    specs = topics_of(definitions, TopicFactory(settings.partitions, settings.replication_factor))
    process = Process(NAME, settings, definitions)
    metrics = TrackerMetrics(process.registry)
    process.tell(metrics)

    def roles(partitions: int, _: Sequence[Statement]) -> Roles:
        logic = TrackerLogic(definitions, partitions)
        metrics.times = logic.times
        return logic.roles

    process.run(roles, specs, definitions[0].starts_on.event_type)
