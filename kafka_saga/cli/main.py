"""The command line `saga`: every command, and what its errors look like.

An error we foresaw is one sentence on stderr and exit code 1; wrong usage is 2, Ctrl-C 130. There is no stack trace
unless SAGA_DEBUG is set.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kafka_saga.app import VARIABLE
from kafka_saga.cli import dead_letters, kafka
from kafka_saga.cli.application import Commands
from kafka_saga.cli.connection import connection_for, kept, set_up_logs
from kafka_saga.cli.exits import Exit
from kafka_saga.cli.output import harmless
from kafka_saga.cli.pauses import pauses
from kafka_saga.cli.processes import console, tracker, views
from kafka_saga.cli.sagas import events, ls, show
from kafka_saga.cli.settings import settings
from kafka_saga.cli.steering import commands
from kafka_saga.cli.topics import topics
from kafka_saga.cli.topology import topology
from kafka_saga.cli.up import down, status, up
from kafka_saga.cli.why import incidents, why
from kafka_saga.errors import ChoreographyError

app = typer.Typer(
    name="saga",
    cls=Commands,
    help="Choreographed sagas on Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _name_app(value: str | None) -> None:
    if value is not None:
        os.environ[VARIABLE] = value


@app.callback()
def options(
    context: typer.Context,
    bootstrap: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Kafka's brokers [default: $SAGA_BOOTSTRAP_SERVERS, else the embedded Kafka, else 127.0.0.1:9092].",
        ),
    ] = None,
    with_api: Annotated[
        bool,
        typer.Option("--api/--no-api", help="Ask the HTTP API where it answers ($SAGA_VIEWS_URL); else read the log."),
    ] = True,
    _app: Annotated[
        str | None,
        typer.Option(
            "--app",
            metavar="MODULE:ATTRIBUTE",
            is_eager=True,
            callback=_name_app,
            help="The application: its definitions, services and commands [default: $SAGA_APP].",
        ),
    ] = None,
) -> None:
    """Choreographed sagas on Kafka."""
    context.obj = kept(context, connection_for(bootstrap, with_api=with_api))


app.command(epilog="Exit codes: 0 stopped by Ctrl-C or ready (--detach), 1 failed.")(up)
app.command(epilog="Exit codes: 0 not running any more, 1 failed.")(down)
app.command(epilog="Exit codes: 0 all ready, 1 not all ready, 3 not running.")(status)
app.command(epilog="Exit codes: 0 listed, 1 failed.")(ls)
app.command(epilog="Exit codes: 0 shown, 1 failed or not there.")(show)
app.command(epilog="Exit codes: 0 shown, 1 failed or not there.")(why)
app.command(epilog="Exit codes: 0 shown, 1 failed or not there.")(events)
app.command(epilog="Exit codes: 0 listed, 1 failed.")(incidents)
app.command(epilog="Exit codes: 0 listed, 1 failed.")(pauses)
for steer in (
    commands.pause,
    commands.resume,
    commands.cancel,
    commands.retry,
    commands.redrive,
    commands.rewind,
    commands.skip,
):
    app.command(epilog=commands.EPILOG)(steer)
app.command(epilog="Exit codes: 0 all there and fit, 1 not, or failed.")(topics)
app.command()(topology)
app.command(epilog="Exit codes: 0 listed, 1 failed.")(settings)
app.command(epilog="Exit codes: 0 after an orderly stop, 1 failed.")(tracker)
app.command(epilog="Exit codes: 0 after an orderly stop, 1 failed.")(views)
app.command(epilog="Exit codes: 0 after an orderly stop, 1 failed.")(console)
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(kafka.app, name="kafka")


def main() -> None:
    """Be the program `saga`."""
    set_up_logs()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="saga")
    except ChoreographyError as error:
        _say(str(error))
    except Exception as error:  # the last resort: a sentence, where there would be a stack trace
        if os.environ.get("SAGA_DEBUG"):
            raise
        _say(f"Unexpected {type(error).__name__}: {error}. Set SAGA_DEBUG=1 to see where, and please report it.")


def _say(sentence: str) -> None:
    sys.stderr.write(f"saga: {harmless(sentence)}\n")
    sys.exit(Exit.ERROR)


if __name__ == "__main__":
    main()
