"""Definitions with what goes on in them; counters; and how the tables are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kafka_saga.api.topology import DefinitionTopology, Figures, FiguresReport, PausedScope, StepTopology, Topology
from kafka_saga.definition.model import Saga
from kafka_saga.errors import UnavailableError
from kafka_saga.inspection.diagnose.lag import AtStep, lags, topics_of_step
from kafka_saga.inspection.present.graphs import graph_of
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.routes import Call, Reply

WINDOWS = ("1m", "1h")

_Lags = Mapping[str, Mapping[str, AtStep]]


async def topology(api: Dependencies, call: Call) -> Reply:
    """All definitions, and what is paused; what Kafka does not tell now is none, but for pauses that are known."""
    report = await api.tables.figures()
    at_steps, paused = await asyncio.gather(api.lags.get(lambda: lags_of(api)), api.held.get(lambda: held_by(api)))
    found = tuple(_definition(saga, at_steps.get(saga.name, {}), report) for saga in api.deployed.latest.values())
    return Reply(Topology(definitions=found, paused=paused, behind_s=report.behind_s))


async def figures(api: Dependencies, call: Call) -> Reply:
    """Counters by status, and the windowed figures of each step."""
    return Reply(await api.tables.figures())


async def health(api: Dependencies, call: Call) -> Reply:
    """How the tables are."""
    found = await api.tables.health()
    return Reply(found.model_copy(update={"kafka": api.kafka}))


async def lags_of(api: Dependencies) -> _Lags:
    """How far the services of each definition are behind; nothing while Kafka does not answer."""
    try:
        return await api.reading(_lags, api)
    except UnavailableError:  # the definitions and their figures are worth showing without it
        return {}


async def held_by(api: Dependencies) -> tuple[PausedScope, ...]:
    """What is paused beyond single sagas; as it was last known while Kafka does not answer."""
    try:
        return await api.reading(lambda: api.holds.look(api.cluster()))
    except UnavailableError:
        return api.holds.paused()


def _lags(api: Dependencies) -> _Lags:
    cluster, groups, deployed = api.cluster(), api.groups(), api.look_at_deployed()
    return {name: lags(cluster, groups, saga, deployed) for name, saga in deployed.latest.items()}


def _definition(saga: Saga, at_steps: Mapping[str, AtStep], report: FiguresReport) -> DefinitionTopology:
    windows = {one.step: one.windows for one in report.steps if one.definition == saga.name}
    steps = tuple(
        _step(step.name, at_steps.get(step.name) or AtStep(topics_of_step(step)), windows.get(step.name, {}))
        for step in saga.steps
    )
    return DefinitionTopology(
        name=saga.name, version=saga.version, description=saga.description, graph=graph_of(saga), steps=steps
    )


def _step(name: str, at: AtStep, windows: Mapping[str, Figures]) -> StepTopology:
    return StepTopology(
        name=name,
        topics=at.topics,
        service=at.service,
        instances=at.instances,
        lag=at.lag,
        windows={window: windows.get(window, Figures()) for window in WINDOWS},
    )
