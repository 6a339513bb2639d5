"""One saga in full, and many as a list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kafka_saga.cli.output import clock, safe
from kafka_saga.cli.render.incidents import notes
from kafka_saga.cli.render.timeline import timeline
from kafka_saga.inspection.present.spans import current_steps, remaining, whole
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.wording import length

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


def saga_view(state: SagaState, now: int) -> RenderableType:
    """A saga in full: how it stands and why, its timeline, pauses, incidents, and what changed nothing."""
    parts: list[RenderableType] = [heading(state, now), safe(reason(state, now)), Text()]
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
    return ", ".join(current_steps(state)) or state.end or ""
