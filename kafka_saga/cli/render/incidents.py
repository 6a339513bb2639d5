"""What waits for a person: open incidents as a list and in a saga; and the pauses of a saga."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from kafka_saga.api.sagas import IncidentFacts
from kafka_saga.cli.output import clock, safe, word
from kafka_saga.inspection.log.times import instant
from kafka_saga.tracker.core.state import Pause, SagaState
from kafka_saga.wire.control import PREFIX
from kafka_saga.wire.wording import length


def incident_table(found: Sequence[IncidentFacts], now: int) -> Table:
    """One incident a row: saga, step, since when, why, and which commands can solve it."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("SAGA", overflow="fold", ratio=2)
    table.add_column("STEP", no_wrap=True)
    table.add_column("AGE", justify="right", no_wrap=True)
    table.add_column("WHY, AND WHAT CAN BE DONE", overflow="fold", ratio=3)
    for one in found:
        why = Text.assemble(safe(one.reason, "red"), "\n", safe(", ".join(one.commands), "dim"))
        age = Text("-" if one.at is None else length(now - instant(one.at)), "dim")
        table.add_row(safe(one.saga_id, "bold"), safe(one.step or "-"), age, why)
    return table


def notes(state: SagaState, now: int) -> Table:
    """The pauses of one saga, and its open incidents with the commands as they would be typed."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for pause in state.pauses:
        table.add_row(Text("Paused   ", "cyan" if pause.until is None else "dim"), _pause(pause, now))
    for incident in state.incidents:
        said = Text.assemble(safe(incident.reason), (f" ({length(now - incident.at)} ago)", "dim"))
        table.add_row(Text("Incident ", "bold red"), said)
        for command in incident.commands:
            table.add_row("", safe(typed(command, state.saga_id, incident.step), "cyan"))
    return table


def _pause(pause: Pause, now: int) -> Text:
    """By whom, since when, why."""
    whose = "" if pause.scope == "saga" else f"all of {pause.scope.removeprefix(PREFIX)} "
    why = f": {pause.reason}" if pause.reason else ""
    lasts = f"since {clock(pause.at)}, {length(now - pause.at)} ago"
    if pause.until is not None:
        lasts = f"{clock(pause.at)} for {length(pause.until - pause.at)}"
    return safe(f"{whose}{lasts}, by {pause.by}{why}")


def typed(command: str, saga_id: str, step: str | None) -> str:
    """A command as one would type it: `saga retry acme/shop#7@3f2a --step llm`."""
    given = f"saga {command} {word(saga_id)}"
    match command:
        case "rewind":
            return f"{given} --to STEP"
        case "skip":
            return f"{given} --step {step or 'STEP'} --outcome EVENT_TYPE --content JSON"
        case "retry" | "redrive" if step:
            return f"{given} --step {step}"
        case _:
            return given
