"""Definitions with what goes on in them: figures of each step, and how far their services are behind."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Answer, Count, Milliseconds, Timestamp, Value
from kafka_saga.api.sagas import Graph


class Figures(Value):
    """What happened at a step within a window of time; percentiles are of the time from trigger to outcome."""

    started: Count = 0
    done: Count = 0
    failed: Count = 0
    retried: Count = 0
    p50_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None


class Lag(Value):
    """How many records of a step's topics its service has not finished, and how old the oldest of them is."""

    events: Count
    seconds: Annotated[float | None, Field(ge=0)] = None


class StepTopology(Value):
    """A step: its topics, who works on it, how far that is behind, and what happened in the last minute and hour."""

    name: str
    topics: tuple[str, ...]
    service: str | None
    instances: int | None
    lag: Lag | None
    windows: dict[str, Figures]


class DefinitionTopology(Value):
    """A definition."""

    name: str
    version: int
    description: str = ""
    graph: Graph
    steps: tuple[StepTopology, ...]


class PausedScope(Value):
    """Sagas that are paused together, those that come later with them; `scope` is what a command to resume takes."""

    scope: Annotated[str, Field(examples=["definition:order", "step:order/payment", "prefix:acme/"])]
    by: str
    reason: str
    at: Timestamp


class Topology(Answer):
    """All definitions that are known here, and what is paused beyond single sagas, by scope."""

    definitions: tuple[DefinitionTopology, ...]
    paused: tuple[PausedScope, ...]


class StepFigures(Value):
    """The figures of one step, by window (`1m`, `1h`)."""

    definition: str
    step: str
    windows: dict[str, Figures]


class FiguresReport(Answer):
    """How many sagas of each status there are, by definition, and what happened at each step."""

    counts: dict[str, int]
    definitions: Annotated[dict[str, dict[str, int]], Field(description="the counts of each definition")]
    incidents: Count
    steps: tuple[StepFigures, ...]
