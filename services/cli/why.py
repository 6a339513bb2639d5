"""`saga why` and `saga incidents`: what a saga waits for, and what waits for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.api.sagas import WhyFacts
from services.cli.connection import Connection, connection_of
from services.cli.output import err, out, print_json
from services.cli.views.incidents import incident_table
from services.cli.views.why import why_view
from services.inspection.facts import incident_facts, open_incidents, why_facts
from services.inspection.loading import known_definitions, name_of
from services.inspection.reading import each_state, find
from services.inspection.said import said_by_services
from services.inspection.selection import Selection, fits
from services.inspection.surroundings import around_of
from services.inspection.times import now

_AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def why(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A saga id, a business key (its latest saga), or a unique beginning.")
    ],
    as_json: _AsJson = False,
) -> None:
    """Say why a saga is not finished. What it waits for, since when, and what will happen when."""
    connection = connection_of(context)
    found = _told(connection, name) or _looked(connection, name)
    if as_json:
        print_json(found)
    else:
        out().print(why_view(found), soft_wrap=True)


def _told(connection: Connection, name: str) -> WhyFacts | None:
    """What the HTTP API says; none if it does not answer."""
    api = connection.api()
    state = api.find(name) if api is not None else None
    return None if api is None or state is None else api.why(state.saga_id)


def _looked(connection: Connection, name: str) -> WhyFacts:
    """What is found out here, from the log and what is around it. Raises NotFoundError."""
    cluster = connection.cluster()
    state = find(cluster, name)
    definition = known_definitions(None).get(state.definition)
    around = around_of(cluster, connection.groups(), state, said_by_services(connection.bootstrap), definition)
    return why_facts(state, around, now())


def incidents(
    context: typer.Context,
    definition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this definition: its name, or MODULE:ATTRIBUTE.")
    ] = None,
    step: Annotated[str | None, typer.Option(help="Of this step.")] = None,
    key_prefix: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of sagas whose business key begins so.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """List what only a person can decide. The oldest first, with the commands that can solve it."""
    wanted = Selection((), None, name_of(definition), key_prefix)
    states = (state for state in each_state(connection_of(context).cluster()) if fits(wanted, state))
    found = [one for one in open_incidents(states) if step in {None, one.incident.step}]
    if as_json:
        print_json([incident_facts(*one) for one in found[:limit]])
    elif not found:
        out().print("No open incidents.")
    else:
        out().print(incident_table(found[:limit], now()))
        if len(found) > limit:
            err().print(f"{len(found) - limit} later ones are not shown: --limit {len(found)}.")
