"""`saga kafka`: the embedded Kafka on the command line.

Exit codes: 0 done; 1 failed (one sentence on stderr says why); `status` 3 when no embedded Kafka runs.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from services.local.broker import EmbeddedKafka, Started, Status

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
