"""The tracker as a process: which definitions it follows, and what it needs on Kafka."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from kafka_saga.app import App
from kafka_saga.definition.loader import load_definitions
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.engine.processor import Roles
from kafka_saga.errors import TopologyError
from kafka_saga.steps.definition_registry import Statement
from kafka_saga.tracker.metrics import NAME, TrackerMetrics
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.worker.process import Process, load_settings
from kafka_saga.worker.settings import Settings


def run(app: App) -> None:
    """Be the tracker until told to stop. It follows the definitions that `SAGA_DEFINITIONS` names, else the app's."""
    settings = load_settings(NAME)
    try:
        named = os.environ.get("SAGA_DEFINITIONS")
        definitions = tuple(app.definitions) if named is None else load_definitions(named)
        _refuse_none(definitions)
        TrackerProcessor(definitions, partitions=1)  # before Kafka is asked for: wrong ones are refused at once
    except TopologyError as error:
        sys.exit(f"{NAME}: {error}")
    _run(settings, definitions)


def _refuse_none(definitions: Sequence[Saga]) -> None:
    if not definitions:
        raise TopologyError(
            "there is no definition to follow: name the application (SAGA_APP=module:ATTRIBUTE, or --app), or "
            "definitions (SAGA_DEFINITIONS=module:ATTRIBUTE, separated by commas)"
        )


def _run(settings: Settings, definitions: Sequence[Saga]) -> None:
    specs = topics_of(definitions, TopicFactory(settings.partitions, settings.replication_factor))
    process = Process(NAME, settings, definitions)
    metrics = TrackerMetrics(process.registry)
    process.tell(metrics)

    def roles(partitions: int, _: Sequence[Statement]) -> Roles:
        logic = TrackerProcessor(definitions, partitions)
        metrics.times = logic.times
        return logic.roles

    process.run(roles, specs, definitions[0].starts_on.event_type)
