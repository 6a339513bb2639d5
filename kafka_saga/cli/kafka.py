"""`saga kafka`: the embedded Kafka on the command line.

Exit codes: 0 done; 1 failed (one sentence on stderr says why); `status` 3 when no embedded Kafka runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from kafka_saga.cli.connection import connection_of
from kafka_saga.errors import UnavailableError
from kafka_saga.local.broker import EmbeddedKafka, Started, Status
from kafka_saga.local.distribution import kafka_distribution
from kafka_saga.local.hanging import Hanging, abort, by_hand, find_hanging
from kafka_saga.local.readiness import brokers_at
from kafka_saga.worker.paths import cache_home

NOT_RUNNING = 3

app = typer.Typer(no_args_is_help=True, help="The embedded Kafka: a real Apache Kafka on this machine.")
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command(epilog="Exit codes: 0 running, 1 failed.")
def start(
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the records of earlier runs first.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Exactly this port [default: 9092, or the next free one].")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Start Kafka and leave it running; harmless when it runs already."""
    said = _said()
    kafka = EmbeddedKafka(port=port, detached=True, say=said.print)
    with said.status("Starting Kafka"):
        started = kafka.start(fresh=fresh)
    if as_json:
        _print_json(_facts(kafka.status()) | {"already": started.already, "why_port": started.why_port})
    else:
        _out().print(started_line(started, kafka.status()))


@app.command(epilog="Exit codes: 0 not running any more, 1 failed.")
def stop(as_json: _AsJson = False) -> None:
    """Stop Kafka, from wherever it was started; its records are kept."""
    said = _said()
    with said.status("Stopping Kafka"):
        stopped = EmbeddedKafka(say=said.print).stop()
    if as_json:
        _print_json({"stopped": stopped})
    else:
        _out().print("Kafka is stopped; its records are kept." if stopped else "No embedded Kafka was running.")


@app.command(epilog="Exit codes: 0 running, 1 running but not answering, 3 not running.")
def status(as_json: _AsJson = False) -> None:
    """Say whether Kafka runs, where, and since when."""
    seen = EmbeddedKafka().status()
    if as_json:
        _print_json(_facts(seen))
    else:
        _out().print(status_line(seen))
    if seen.running is None:
        raise typer.Exit(NOT_RUNNING)
    if not seen.answers:
        raise typer.Exit(1)


@app.command(epilog="Exit codes: 0 none is left, 1 failed, or some are there and --abort was not given.")
def hanging(
    context: typer.Context,
    abort_them: Annotated[bool, typer.Option("--abort", help="Roll each back where it lies.")] = False,
    as_json: _AsJson = False,
) -> None:
    """List transactions without an end, before which committed readers stand still; of any Kafka that asks for no name.

    Kafka leaves one behind when it loses a transaction's marker. What it wrote there is rolled back by --abort: if the
    rest of it was committed, the saga that it belongs to may need a redrive.
    """
    connection, said = connection_of(context), _said()
    if len(connection.properties) > 1:
        raise UnavailableError(f"Kafka at {connection.bootstrap} asks who we are: use {by_hand(connection.bootstrap)}.")
    distribution = kafka_distribution(cache_home(), said.print)
    with said.status("Looking through Kafka's transactions"):
        found = find_hanging(distribution, connection.bootstrap, brokers_at(connection.bootstrap))
        for one in found if abort_them else ():
            abort(distribution, connection.bootstrap, one)
    if as_json:
        _print_json({"hanging": [asdict(one) for one in found], "aborted": abort_them})
    else:
        _out().print(hanging_lines(found, aborted=abort_them))
    if found and not abort_them:
        raise typer.Exit(1)


def hanging_lines(found: Sequence[Hanging], *, aborted: bool) -> str:
    """Say which there are, and what has been or can be done."""
    if not found:
        return "No transaction hangs."
    lines = [f"  {escape(str(one))}" for one in found]
    count = "1 transaction" if len(found) == 1 else f"{len(found)} transactions"
    if aborted:
        return "\n".join([f"Rolled back {count}:", *lines])
    return "\n".join(
        [f"{count} without an end; committed readers stand still at", *lines, "End them: `saga kafka hanging --abort`."]
    )


def started_line(started: Started, seen: Status) -> str:
    """Say where Kafka runs, and why there."""
    running = started.running
    state = "already runs" if started.already else "runs"
    why = f", since {started.why_port}" if started.why_port else ""
    return f"Kafka {running.version} {state} at [bold]{running.bootstrap}[/bold]{why}.\n" + _places(seen)


def status_line(seen: Status) -> str:
    """Say how Kafka is, and what to do if it is not well."""
    match seen.running, seen.answers:
        case None, _:
            return f"Kafka is not running: start it with `saga kafka start`.\nrecords  {escape(str(seen.data))}"
        case running, True:
            head = f"Kafka {running.version} runs at [bold]{running.bootstrap}[/bold]"
            return (
                f"{head} (process {running.pid}) since {running.since.astimezone():%Y-%m-%d %H:%M:%S}.\n{_places(seen)}"
            )
        case running, _:
            head = f"Kafka (process {running.pid}) runs but does not answer at {running.bootstrap}"
            return f"{head}: `saga kafka stop` and start it again.\n{_places(seen)}"


def _places(seen: Status) -> str:
    return f"records  {escape(str(seen.data))}\nlog      {escape(str(seen.log))}"


def _facts(seen: Status) -> dict[str, object]:
    facts: dict[str, object] = {"running": seen.running is not None, "answers": seen.answers}
    if seen.running:
        facts |= seen.running.model_dump(mode="json", include={"bootstrap", "pid", "version", "cluster_id", "since"})
    return facts | {"data": str(seen.data), "log": str(seen.log)}


def _out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _said() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def _print_json(value: dict[str, object]) -> None:
    print(json.dumps(value, indent=1))
