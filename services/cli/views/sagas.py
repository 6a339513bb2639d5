"""One saga in full, many as a list, and both for scripts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.cli.output import clock, iso, safe
from services.cli.views.incidents import IncidentJson, PauseJson, incident_json, notes, pause_json
from services.cli.views.standing import standing
from services.cli.views.timeline import progress, span_of, timeline, whole
from services.tracker.core.reason import length
from services.tracker.core.state import SagaState, SagaStatus, StepState, StepStatus

STATUS_STYLE = {
    SagaStatus.COMPLETED: "green",
    SagaStatus.FAILED: "bold red",
    SagaStatus.CANCELLED: "magenta",
    SagaStatus.RUNNING: "yellow",
    SagaStatus.PAUSING: "cyan",
    SagaStatus.PAUSED: "bold cyan",
    SagaStatus.CANCELLING: "magenta",
    SagaStatus.COMPENSATING: "magenta",
    SagaStatus.UNKNOWN: "dim",
}

_TELLING = frozenset({StepStatus.FAILED, StepStatus.COMPENSATING})


class StepJson(msgspec.Struct, frozen=True):
    """A step for scripts; `duration_ms` is from its first trigger to its end, or to now.

    `retry_at` is when the next attempt is due; `progress` what a running handler told last.
    """

    name: str
    status: str
    attempt: int
    epoch: int
    since: str | None
    duration_ms: int | None
    error: str | None
    retry_at: str | None
    progress: str | None


class ReferenceJson(msgspec.Struct, frozen=True):
    """Where an event of the saga lies."""

    id: str
    type: str
    partition: int
    offset: int
    at: str | None
    cause: str | None
    step: str | None


class UnmatchedJson(msgspec.Struct, frozen=True):
    """A record that changed nothing, and why."""

    type: str
    topic: str
    partition: int
    offset: int
    at: str | None
    why: str


class SagaJson(msgspec.Struct, frozen=True):
    """A saga for scripts."""

    saga_id: str
    key: str
    definition: str
    version: int
    status: str
    reason: str
    started_at: str | None
    ended_at: str | None
    updated_at: str | None
    duration_ms: int
    end: str | None
    error: str | None
    partition: int
    revision: int
    steps: tuple[StepJson, ...]
    remaining: tuple[str, ...]
    events: tuple[ReferenceJson, ...]
    unmatched: tuple[UnmatchedJson, ...]
    epoch: int
    pauses: tuple[PauseJson, ...]
    incidents: tuple[IncidentJson, ...]
    traceparent: str | None


def saga_json(state: SagaState, now: int) -> SagaJson:
    """A saga for scripts; `now` is milliseconds UTC."""
    return SagaJson(
        saga_id=state.saga_id,
        key=state.key,
        definition=state.definition,
        version=state.version,
        status=state.status.value,
        reason=standing(state, now),
        started_at=iso(state.started_at),
        ended_at=iso(state.ended_at),
        updated_at=iso(state.updated_at),
        duration_ms=whole(state, now).length,
        end=state.end,
        error=state.error,
        partition=state.partition,
        revision=state.revision,
        steps=tuple(_step_json(state, step, now) for step in state.steps),
        remaining=remaining(state),
        events=tuple(
            ReferenceJson(e.id, e.type, state.partition, e.offset, iso(e.at), e.cause, e.step) for e in state.events
        ),
        unmatched=tuple(
            UnmatchedJson(u.type, u.topic, state.partition, u.offset, iso(u.at), u.why) for u in state.unmatched
        ),
        epoch=state.epoch,
        pauses=tuple(pause_json(pause) for pause in state.pauses),
        incidents=tuple(incident_json(state, incident) for incident in state.incidents),
        traceparent=state.traceparent,
    )


def remaining(state: SagaState) -> tuple[str, ...]:
    """The steps that have yet to end."""
    return tuple(step.name for step in state.steps if step.status is StepStatus.WAITING or step.status.is_open)


def saga_view(state: SagaState, now: int) -> RenderableType:
    """A saga in full: how it stands and why, its timeline, pauses, incidents, and what changed nothing."""
    parts: list[RenderableType] = [heading(state, now), safe(standing(state, now)), Text()]
    parts.append(Padding(timeline(state, now), (0, 0, 0, 2)))
    if left := remaining(state):
        parts += [Text(), Text.assemble(("Remaining  ", "dim"), safe(" → ".join(left)))]
    if state.pauses or state.incidents:
        parts += [Text(), notes(state, now)]
    if state.unmatched:
        parts += [Text(), unmatched(state)]
    return Group(*parts)


def heading(state: SagaState, now: int) -> Text:
    """One line: id, status, how long, since when."""
    return Text.assemble(
        safe(state.saga_id, "bold"),
        "  ",
        (state.status.value, STATUS_STYLE.get(state.status, "")),
        (f"  {length(whole(state, now).length)}", ""),
        (f"  since {clock(state.started_at)}" if state.started_at else "", "dim"),
    )


def unmatched(state: SagaState) -> Text:
    """The records that changed nothing, a line each."""
    text = Text("Records that changed nothing", "dim")
    for one in state.unmatched:
        text.append_text(Text.assemble("\n  ", safe(f"{one.topic}[{state.partition}]@{one.offset}", "dim"), "  "))
        text.append_text(safe(f"{one.type}: {one.why}"))
    return text


def saga_table(known: Sequence[SagaState], now: int) -> Table:
    """Many sagas, one a line."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("SAGA", overflow="fold")
    table.add_column("STATUS", no_wrap=True)
    table.add_column("AT", overflow="fold")
    table.add_column("TOOK", justify="right", no_wrap=True)
    table.add_column("STARTED", no_wrap=True)
    for state in known:
        table.add_row(
            safe(state.saga_id),
            Text(state.status.value, STATUS_STYLE.get(state.status, "")),
            safe(stands_at(state), "dim"),
            Text(length(whole(state, now).length)),
            Text(ago(state.started_at, now), "dim"),
        )
    return table


def ago(at: int | None, now: int) -> str:
    """How long ago it was: `4 min ago`."""
    return "" if at is None else f"{length(now - at)} ago"


def stands_at(state: SagaState) -> str:
    """Where a saga is: the step at work, the step that failed, or the event that ended it."""
    telling = [step.name for step in state.steps if step.status in _TELLING or step.status.is_open]
    return ", ".join(telling) or state.end or ""


def _step_json(state: SagaState, step: StepState, now: int) -> StepJson:
    span = span_of(step, now)
    return StepJson(
        name=step.name,
        status=step.status.value,
        attempt=step.attempt,
        epoch=step.epoch,
        since=iso(step.since),
        duration_ms=None if span is None else span.length,
        error=step.error,
        retry_at=iso(step.runs[-1].retry_at if step.runs else None),
        progress=progress(state, step) or None,
    )
