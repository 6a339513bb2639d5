"""`saga why` and `saga incidents`: what a saga waits for, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from kafka_saga.api.sagas import IncidentFacts, WhyFacts
from kafka_saga.cli.connection import Connection, connection_of
from kafka_saga.cli.output import err, out, print_json
from kafka_saga.cli.render.incidents import incident_table
from kafka_saga.cli.render.why import why_view
from kafka_saga.inspection.commands.selection import Selection, fits
from kafka_saga.inspection.diagnose.surroundings import around_of
from kafka_saga.inspection.log.loading import known_on, name_of
from kafka_saga.inspection.log.reading import each_state, find
from kafka_saga.inspection.log.times import now
from kafka_saga.inspection.present.facts import incident_facts, open_incidents, why_facts
from kafka_saga.local.up_record import said_by_services
from kafka_saga.tracker.core.state import SagaState

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
    said = said_by_services(connection.bootstrap)
    around = around_of(cluster, connection.groups(), state, said, known_on(cluster))
    return why_facts(state, around, now())


def incidents(
    context: typer.Context,
    definition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this definition: its name, or MODULE:ATTRIBUTE.")
    ] = None,
    step: Annotated[str | None, typer.Option(metavar="[DEFINITION/]STEP", help="Of this step.")] = None,
    key_prefix: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of sagas whose business key begins so.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """List what only a person can decide. The oldest first, with the commands that can solve it."""
    found, total = _listed(connection_of(context), Selection((), step, name_of(definition), key_prefix), limit)
    if as_json:
        print_json(found)
    elif not found:
        out().print("No open incidents.")
    else:
        out().print(incident_table(found, now()))
        if total > limit:
            err().print(f"{total - limit} later ones are not shown: --limit {total}.")


def _listed(connection: Connection, wanted: Selection, limit: int) -> tuple[list[IncidentFacts], int]:
    """The first `limit` open incidents, and how many there are: from the HTTP API, else from the log."""
    api = connection.api()
    told = None if api is None else api.incidents(wanted, limit)
    return told or oldest_of(each_state(connection.cluster()), wanted, limit)


def oldest_of(known: Iterable[SagaState], wanted: Selection, limit: int) -> tuple[list[IncidentFacts], int]:
    """The first `limit` open incidents of these sagas, and how many there are; of a step: those at it."""
    sagas = Selection(definition=wanted.definition_name, key_prefix=wanted.key_prefix)
    found = open_incidents(state for state in known if fits(sagas, state))
    fitting = [one for one in found if wanted.step_name in {None, one.incident.step}]
    return [incident_facts(*one) for one in fitting[:limit]], len(fitting)
