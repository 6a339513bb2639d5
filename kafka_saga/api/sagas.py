"""Sagas: as a line of a list, as facts, and in full with timeline, graph, and the actions that apply."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kafka_saga.api.model import Answer, Count, Milliseconds, Timestamp, Value


class SagaSummary(Value):
    """A saga as a line of a list. `title` is what its first event calls itself, where that is known."""

    saga_id: str
    key: str
    definition: str
    version: int
    status: str
    reason: Annotated[str, Field(description="why it is not finished, or how it ended: a sentence")]
    current_steps: Annotated[tuple[str, ...], Field(description="steps at work, or that have failed")]
    started_at: Timestamp | None
    ended_at: Timestamp | None
    updated_at: Timestamp | None
    duration_ms: Milliseconds
    revision: Annotated[int, Field(description="grows with every change of the saga")]
    incidents: Annotated[int, Field(ge=0, description="how many are open")]
    title: str | None = None
    state: Annotated[
        dict[str, object] | None, Field(description="with include=state: the record on saga.state, as it is")
    ] = None


class SagaPage(Answer):
    """Some of the sagas that the filter means."""

    items: tuple[SagaSummary, ...]
    next: Annotated[str | None, Field(description="the cursor of the next page; none if this is the last")]
    total: Annotated[int, Field(ge=0, description="how many the filter means")]
    counts: Annotated[dict[str, int], Field(description="how many of each status, by the filter without its status")]


class StepFacts(Value):
    """A step. `duration_ms` is from its first trigger to its end, or to now.

    `retry_at` is when the next attempt is due; `progress` what a running handler told last.
    """

    name: str
    status: str
    attempt: int
    epoch: int
    since: Timestamp | None
    duration_ms: Milliseconds | None
    error: str | None
    retry_at: Timestamp | None
    progress: str | None


class Reference(Value):
    """Where an event of the saga lies."""

    id: str
    type: str
    partition: int
    offset: int
    at: Timestamp | None
    cause: str | None
    step: str | None


class UnmatchedRecord(Value):
    """A record that changed nothing, and why."""

    type: str
    topic: str
    partition: int
    offset: int
    at: Timestamp | None
    why: str


class PauseFacts(Value):
    """A pause: of the saga itself, or of a key prefix; `until` is none while it lasts."""

    scope: str
    by: str
    reason: str
    at: Timestamp | None
    until: Timestamp | None


class IncidentFacts(Value):
    """Something that only a person can decide; `commands` are the names of the commands that can solve it."""

    id: str
    saga_id: str
    definition: str
    status: Annotated[str, Field(description="the saga's")]
    kind: str
    step: str | None
    reason: str
    at: Timestamp | None
    commands: tuple[str, ...]


class SagaFacts(Value):
    """Everything that the tracker knows of a saga."""

    saga_id: str
    key: str
    definition: str
    version: int
    status: str
    reason: Annotated[str, Field(description="why it is not finished, or how it ended: a sentence")]
    started_at: Timestamp | None
    ended_at: Timestamp | None
    updated_at: Timestamp | None
    duration_ms: Milliseconds
    end: Annotated[str | None, Field(description="the event that ended it")]
    error: str | None
    partition: int
    revision: Annotated[int, Field(description="grows with every change of the saga")]
    steps: tuple[StepFacts, ...]
    remaining: Annotated[tuple[str, ...], Field(description="the steps that have yet to end")]
    events: tuple[Reference, ...]
    unmatched: tuple[UnmatchedRecord, ...]
    epoch: int
    pauses: tuple[PauseFacts, ...]
    incidents: tuple[IncidentFacts, ...]
    traceparent: str | None


class SpanKind(StrEnum):
    """What a stretch of the timeline is."""

    ATTEMPT = "attempt"
    WAIT = "wait"
    RETRY = "retry"
    COMPENSATION = "compensation"
    PAUSE = "pause"


class Span(Value):
    """A stretch of the timeline; `ended_at` is none while it lasts. `step` is empty for a pause of the whole saga."""

    step: str
    attempt: int
    epoch: int
    kind: SpanKind
    status: str
    started_at: Timestamp
    ended_at: Timestamp | None
    error: str | None = None
    note: str | None = None


class NodeKind(StrEnum):
    """What a node of the graph is: the first event, a step, or an event that ends the saga."""

    EVENT = "event"
    STEP = "step"
    END = "end"


class Node(Value):
    """A node of the graph: how it stands, or what will become of it, for programs and in words.

    `state` is the status of a step, or `will_run`, `not_taken`, `happened`; empty for an end that is still possible,
    and in a definition without a saga.
    """

    id: str
    name: str
    kind: NodeKind
    state: str = ""
    words: Annotated[str, Field(description="the state in words: `retrying in 12.0 s`")] = ""
    attempt: int = 0
    duration_ms: Milliseconds | None = None
    error: str | None = None
    retry_at: Timestamp | None = None


class Edge(Value):
    """An event that leads from one node to another; `taken` if it has happened in this saga."""

    source: str
    target: str
    label: Annotated[str, Field(description="the event's type")]
    taken: bool = False


class Graph(Value):
    """A definition as a graph, with what has happened and what remains."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class Action(Value):
    """A command that applies now. `steps` are those to choose from, `outcomes` what a skipped step can end with."""

    command: str
    step: Annotated[str | None, Field(description="the step it acts on if nothing else is chosen")] = None
    steps: tuple[str, ...] = ()
    outcomes: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="by step")
    label: str
    why_not: str | None = None


class SagaDetails(SagaFacts, Answer):
    """A saga in full."""

    title: str | None = None
    timeline: tuple[Span, ...]
    graph: Annotated[Graph | None, Field(description="none if its definition is not known in its version")]
    actions: tuple[Action, ...]
    latest_of_key: bool
    other_runs: Annotated[tuple[str, ...], Field(description="the other sagas of the key, newest first")] = ()
    state: Annotated[
        dict[str, object] | None, Field(description="with include=state: the record on saga.state, as it is")
    ] = None


class AtService(Value):
    """A step at work; `ahead` are the unfinished records before it, `instances` none if not known."""

    step: str
    service: str
    instances: int | None
    place: str
    ahead: Count
    stands_still: str


class WhyFacts(Value):
    """Why a saga is not finished; `behind` is how many seconds of the log the tracker has not read."""

    saga_id: str
    status: str
    reason: str
    services: tuple[AtService, ...]
    trackers: int | None
    behind: float
    dead_letters: tuple[str, ...]
    incidents: tuple[IncidentFacts, ...]


class Why(WhyFacts, Answer):
    """Why a saga is not finished."""


class EventFacts(Value):
    """An event or a report. `data` is what the model says; `raw` (base64) stands in where it says nothing."""

    id: str
    type: str
    topic: str
    partition: int
    offset: int
    at: Timestamp | None
    cause: str | None
    step: str | None
    attempt: int
    epoch: int
    headers: dict[str, str]
    data: dict[str, object] | None = None
    raw: str | None = None
    problem: str | None = None


class EventList(Answer):
    """Everything that happened to a saga, in the order of log time."""

    items: tuple[EventFacts, ...]
