"""`saga why` and `saga incidents`: what a saga waits for, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from services.chassis.paths import saga_home
from services.cli.connection import Connection, connection_of
from services.cli.loading import known_definitions, name_of
from services.cli.output import err, now, out, print_json
from services.cli.reading import each_state, find
from services.cli.steering.selection import Selection, fits
from services.cli.surroundings import around_of
from services.cli.views.incidents import incident_json, incident_table, open_incidents
from services.cli.views.why import why_json, why_view
from services.local.up_record import live_up

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
    cluster = connection.cluster()
    state = find(cluster, name)
    definition = known_definitions(None).get(state.definition)
    around = around_of(cluster, connection.groups(), state, said_by_services(connection), definition)
    if as_json:
        print_json(why_json(state, around, now()))
    else:
        out().print(why_view(state, around, now()), soft_wrap=True)


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
        print_json([incident_json(*one) for one in found[:limit]])
    elif not found:
        out().print("No open incidents.")
    else:
        out().print(incident_table(found[:limit], now()))
        if len(found) > limit:
            err().print(f"{len(found) - limit} later ones are not shown: --limit {len(found)}.")


def said_by_services(connection: Connection) -> dict[str, Sequence[str]]:
    """What the services of a `saga up` on this Kafka say of themselves, by name; nothing if there is none."""
    record = live_up(saga_home())
    if record is None or record.bootstrap != connection.bootstrap:
        return {}
    return {service.name: service.reasons for service in record.services}
