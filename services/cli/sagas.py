"""`saga ls`, `saga show`, `saga events`: what the tracker knows about sagas."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from services.cli.connection import Connection, connection_of
from services.cli.decoding import codec_for, history
from services.cli.diagnosis import missing_services, sentence
from services.cli.following import follow, screen_on
from services.cli.output import err, out, print_json
from services.cli.reading import Feed, find, states
from services.cli.views.events import events_json, events_view
from services.cli.views.sagas import saga_json, saga_table, saga_view
from services.tracker.core.state import SagaState, SagaStatus
from topology.loader import load_definition
from topology.model import Saga

DEFAULT_DEFINITION = "topology.code_review:CODE_REVIEW"

_AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_Name = Annotated[
    str, typer.Argument(metavar="ID", help="A saga id, a business key (its latest saga), or a unique beginning.")
]
Definitions = Annotated[
    list[str], typer.Option("--definition", "-d", metavar="MODULE:ATTRIBUTE", help="Definitions to decode with.")
]


def ls(
    context: typer.Context,
    status: Annotated[list[SagaStatus] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """List sagas, the latest last."""
    known = [state for state in states(connection_of(context).cluster()) if not status or state.status in status]
    now = _now()
    if as_json:
        print_json([saga_json(state, now) for state in known[-limit:]])
        return
    if not known:
        out().print("No sagas yet. Start one with `saga review PATH`." if not status else "No such sagas.")
        return
    out().print(saga_table(known[-limit:], now))
    if len(known) > limit:
        err().print(f"{len(known) - limit} older ones are not shown: --limit {len(known)}.")


def show(
    context: typer.Context,
    name: _Name,
    follows: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show one saga: its timeline, every step, what remains, and why it is not finished."""
    connection = connection_of(context)
    state = find(connection.cluster(), name)
    if follows and not state.status.is_final:
        state = _followed(connection, state, as_json=as_json)
    now = _now()
    if as_json:
        print_json(saga_json(state, now))
    else:
        out().print(saga_view(state, now))


def events(
    context: typer.Context,
    name: _Name,
    definition: Definitions = [DEFAULT_DEFINITION],  # noqa: B006  # typer copies it
    as_json: _AsJson = False,
) -> None:
    """Show the events of one saga, decoded, as the tree of what caused what."""
    cluster = connection_of(context).cluster()
    state = find(cluster, name)
    happened = history(cluster, state, codec_for(definitions(definition)))
    if as_json:
        print_json(events_json(happened))
    else:
        out().print(events_view(state, happened))


def definitions(names: list[str]) -> tuple[Saga, ...]:
    """The definitions behind `module:ATTRIBUTE` names; as with `python -m`, the folder one works in counts."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return tuple(load_definition(name) for name in names)


def _followed(connection: Connection, state: SagaState, *, as_json: bool) -> SagaState:
    console = err() if as_json else out()
    feed = Feed(connection.cluster(), state.saga_id)
    try:
        newest = feed.current() or state
        with screen_on(console, newest.saga_id) as screen:
            screen.show(newest)
            return follow(feed, newest, screen, float("inf"), lambda seen: _diagnosis(connection, seen)) or newest
    finally:
        feed.close()


def _diagnosis(connection: Connection, state: SagaState | None) -> str:
    missing = missing_services(connection, state)
    return sentence(missing) if missing else ""


def _now() -> int:
    return round(time.time() * 1000)
