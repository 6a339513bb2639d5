"""`saga ls`, `saga show`, `saga events`: what the tracker knows about sagas."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from heapq import nlargest
from typing import Annotated

import typer

from kafka_saga.app import current_app
from kafka_saga.cli.blockers import diagnosis
from kafka_saga.cli.connection import Connection, connection_of
from kafka_saga.cli.following import follow, screen_on
from kafka_saga.cli.output import err, out, print_json, safe
from kafka_saga.cli.render.events import events_view
from kafka_saga.cli.render.sagas import saga_table, saga_view
from kafka_saga.definition.model import Saga
from kafka_saga.errors import UnavailableError
from kafka_saga.inspection.commands.selection import Selection, fits
from kafka_saga.inspection.log.decoding import codec_for, history
from kafka_saga.inspection.log.deployed import deployed_on
from kafka_saga.inspection.log.loading import known_on, name_of, named_definitions
from kafka_saga.inspection.log.reading import Feed, began, each_state, find
from kafka_saga.inspection.log.times import now
from kafka_saga.inspection.present.facts import event_facts, saga_facts
from kafka_saga.tracker.core.state import SagaState, SagaStatus

_AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_Name = Annotated[
    str, typer.Argument(metavar="ID", help="A saga id, a business key (its latest saga), or a unique beginning.")
]
_Definitions = Annotated[
    list[str],
    typer.Option(
        "--definition",
        "-d",
        metavar="MODULE:ATTRIBUTE",
        help="Definitions to decode with, besides the application's and those of $SAGA_DEFINITIONS.",
    ),
]


def ls(
    context: typer.Context,
    status: Annotated[
        list[SagaStatus] | None, typer.Option(metavar="STATUS", help="Only these; may be repeated.")
    ] = None,
    definition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this definition: its name, or MODULE:ATTRIBUTE.")
    ] = None,
    key_prefix: Annotated[str | None, typer.Option(metavar="TEXT", help="Whose business key begins so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """List sagas, the latest last."""
    wanted = Selection((), None, name_of(definition), key_prefix, frozenset(status or ()))
    connection = connection_of(context)
    known, total = _listed(connection, wanted, limit)
    at = now()
    if as_json:
        print_json([saga_facts(state, at) for state in known])
        return
    if not known:
        is_all = wanted == Selection()
        out().print(safe(none_yet(_known(connection)) if is_all else "No such sagas."), soft_wrap=True)
        return
    out().print(saga_table(known, at))
    if total > len(known):
        err().print(f"{total - len(known)} older ones are not shown: --limit {total}.")


def _listed(connection: Connection, wanted: Selection, limit: int) -> tuple[list[SagaState], int]:
    """The last `limit` sagas, and how many there are: from the HTTP API, else from the log."""
    api = connection.api()
    told = None if api is None else api.latest(wanted, limit)
    if told is not None:
        return told
    return latest_of((one for one in each_state(connection.cluster()) if fits(wanted, one)), limit)


def found(connection: Connection, name: str) -> SagaState:
    """The saga that a name means: from the HTTP API, else from the log. Raises NotFoundError."""
    api = connection.api()
    return (api.find(name) if api is not None else None) or find(connection.cluster(), name)


def _known(connection: Connection) -> Iterable[Saga]:
    """The definitions that a saga can begin with; where the HTTP API answers and Kafka does not, those named here."""
    try:
        return known_on(connection.cluster()).latest.values()
    except UnavailableError:
        return named_definitions()


def none_yet(known: Iterable[Saga]) -> str:
    """That there is no saga, and how one of these definitions begins."""
    app = current_app()
    invited = app.latest.keys() if app.invitation else ()
    others = (saga for saga in known if saga.name not in invited)
    told = [f"{saga.name} begins with an event on {saga.starts_on.event_type}" for saga in others]
    return " ".join((f"No sagas yet{': ' if told else ''}{', '.join(told)}.", app.invitation)).strip()


def latest_of(found: Iterable[SagaState], limit: int) -> tuple[list[SagaState], int]:
    """The last `limit` of some sagas by their start, and how many they are."""
    latest: list[SagaState] = []
    total = 0
    for total, state in enumerate(found, start=1):  # noqa: B007  # the count of the last one is wanted
        latest.append(state)
        if len(latest) > 2 * limit + 1_000:  # so that memory does not grow with the number of sagas
            latest = nlargest(limit, latest, key=began)
    return sorted(nlargest(limit, latest, key=began), key=began), total


def show(
    context: typer.Context,
    name: _Name,
    follows: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Show one saga: its timeline, every step, what remains, and why it is not finished."""
    connection = connection_of(context)
    state = found(connection, name)
    if follows and not state.status.is_final:
        state = _followed(connection, state, as_json=as_json)
    at = now()
    if as_json:
        print_json(saga_facts(state, at))
    else:
        out().print(saga_view(state, at))


def events(
    context: typer.Context,
    name: _Name,
    definition: _Definitions = [],  # noqa: B006  # typer copies it
    as_json: _AsJson = False,
) -> None:
    """Show the events of one saga, decoded, as the tree of what caused what."""
    cluster = connection_of(context).cluster()
    state = find(cluster, name)
    known = deployed_on(cluster).beside(named_definitions(*definition))
    happened = history(cluster, state, codec_for(known.definitions.values()))
    if as_json:
        print_json(event_facts(happened))
    else:
        out().print(events_view(state, happened))


def _followed(connection: Connection, state: SagaState, *, as_json: bool) -> SagaState:
    console = err() if as_json else out()
    feed = Feed(connection.cluster(), state.saga_id)
    diagnose = partial(diagnosis, connection, saga_id=state.saga_id, saga=None)
    try:
        newest = feed.current() or state
        with screen_on(console, newest.saga_id) as screen:
            screen.show(newest)
            return follow(feed, newest, screen, float("inf"), diagnose) or newest
    finally:
        feed.close()
