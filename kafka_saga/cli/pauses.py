"""`saga pauses`: what is paused beyond single sagas."""

from __future__ import annotations

from typing import Annotated

import typer

from kafka_saga.cli.connection import connection_of
from kafka_saga.cli.output import out, print_json
from kafka_saga.cli.render.pauses import pauses_table
from kafka_saga.inspection.diagnose.held import Holds
from kafka_saga.inspection.log.times import now


def pauses(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False
) -> None:
    """List the definitions, steps and key prefixes that are paused. With the sagas of theirs that start later."""
    found = Holds().look(connection_of(context).cluster())
    if as_json:
        print_json(list(found))
    elif not found:
        out().print("No definition, step or key prefix is paused.")
    else:
        out().print(pauses_table(found, now()))
