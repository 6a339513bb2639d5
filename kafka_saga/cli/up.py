"""`saga up`, `saga down`, `saga status`: Kafka and all services on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from kafka_saga.app import current_app
from kafka_saga.cli.connection import connection_of
from kafka_saga.cli.output import err, out, print_json, safe
from kafka_saga.cli.render.services import services_table, status_view
from kafka_saga.errors import UnavailableError
from kafka_saga.local.places import login_url
from kafka_saga.local.processes import ChildProcess, eventually, spawn
from kafka_saga.local.service_log import last_words
from kafka_saga.local.up import UpPlan, bring_up
from kafka_saga.local.up_record import UpRecord, live_up, logs_folder
from kafka_saga.worker.paths import saga_home

NOT_RUNNING = 3
_START_SECONDS = 300.0
_STOP_SECONDS = 60.0

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def up(
    context: typer.Context,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the records of earlier runs first.")] = False,
    partitions: Annotated[
        int, typer.Option(min=1, envvar="SAGA_PARTITIONS", help="Partitions of topics that are not there yet.")
    ] = 4,
    no_kafka: Annotated[bool, typer.Option("--no-kafka", help="Use the Kafka that is there; start none.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when all is ready; stop with `saga down`.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Kafka's port, 0 for any [default: 9092, or the next free one]."),
    ] = None,
) -> None:
    """Start Kafka and all services, one process each; Ctrl-C stops them."""
    connection = connection_of(context)
    bootstrap = connection.bootstrap if connection.chosen or no_kafka else None
    plan = UpPlan(saga_home(), bootstrap, partitions, fresh, port)
    if bootstrap is not None:
        connection.cluster().admin().partitions([])
        connection.close()  # the services have their own, for as long as they run
    if detach:
        start_detached(plan, err())
    else:
        run_attached(plan, out())


def down(as_json: _AsJson = False) -> None:
    """Stop what `saga up` started, from anywhere."""
    stopped = stop_all(saga_home(), err())
    if as_json:
        print_json({"stopped": stopped})
    else:
        out().print("Everything is stopped; Kafka's records are kept." if stopped else "`saga up` was not running.")


def status(as_json: _AsJson = False) -> None:
    """Say what runs, and whether it is ready."""
    home = saga_home()
    record = live_up(home)
    if as_json:
        print_json(_facts(record))
    elif record is None:
        out().print("`saga up` is not running: start it with `saga up`, or `saga up --detach`.")
    else:
        at = login_url(home, record.console) if record.console else None
        out().print(status_view(record, str(logs_folder(home)), at))
    if record is None or not record.is_ready:
        raise typer.Exit(NOT_RUNNING if record is None else 1)


def run_attached(plan: UpPlan, console: Console) -> None:
    """Run everything in this process until Ctrl-C."""
    with _showing(console, plan.home) as show:
        bring_up(plan, show.say, show.watch)
    console.print("Stopped.")


def start_detached(plan: UpPlan, console: Console, *, tethered: bool = False) -> UpRecord:
    """Start everything in the background and wait until it is ready; harmless when it runs already.

    Tethered it ends with this process, even when that is killed (Linux).
    """
    if (running := live_up(plan.home)) is not None:
        console.print(f"`saga up` runs already (process {running.pid}), Kafka at {running.bootstrap}.")
        return running
    log = logs_folder(plan.home) / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SAGA_HOME": str(plan.home), "NO_COLOR": "1"}
    process = spawn(_command(plan), environment, log, tethered=tethered)
    try:
        with console.status("Starting Kafka and the services"):
            record = _await_ready(plan.home, process, log)
    except BaseException:
        process.terminate(_STOP_SECONDS)
        raise
    console.print(f"Ready: {_what(record)}. {current_app().invitation} Stop with `saga down`.", soft_wrap=True)
    if record.console is not None:
        console.print(f"Look at it: {login_url(plan.home, record.console)}", soft_wrap=True)
    return record


def stop_all(home: Path, console: Console) -> bool:
    """Stop a `saga up` and wait until it has; False when none runs."""
    record = live_up(home)
    if record is None:
        return False
    with console.status("Stopping the services"):
        ended = record.process.terminate(_STOP_SECONDS)
    if not ended:
        console.print(f"It did not end within {_STOP_SECONDS:.0f} s and was killed.")
    return True


def _what(record: UpRecord) -> str:
    return f"{len(record.services)} services, Kafka at {record.bootstrap}"


def _command(plan: UpPlan) -> list[str]:
    chosen = ["--bootstrap", plan.bootstrap] if plan.bootstrap else []
    flags = ["--fresh"] if plan.fresh else []
    port = ["--port", str(plan.port)] if plan.port is not None else []
    own = ["up", "--partitions", str(plan.partitions), *flags, *port]
    return [sys.executable, "-P", "-m", "kafka_saga.cli.main", *chosen, *own]


def _await_ready(home: Path, process: ChildProcess, log: Path) -> UpRecord:
    found: list[UpRecord] = []

    def settled() -> bool:
        record = live_up(home)
        if record is not None and record.process.pid == process.pid and record.is_ready:
            found.append(record)
        return bool(found) or not process.is_alive()

    if not eventually(settled, _START_SECONDS):
        raise UnavailableError(f"The services were not ready within {_START_SECONDS:.0f} s: see {log} and its folder.")
    if not found:
        said = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        raise UnavailableError(last_words(said))
    return found[0]


@dataclass
class _Show:
    """Says what happens, a line each; on a terminal the services stand below."""

    console: Console
    home: Path
    record: UpRecord | None = None
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", Text("starting", "dim"), style="yellow"))
    has_been_ready: bool = False

    def say(self, sentence: str) -> None:
        self.console.print(Text.assemble((f"{time.strftime('%H:%M:%S')}  ", "dim"), safe(sentence)), soft_wrap=True)

    def watch(self, record: UpRecord) -> None:
        self.record = record
        if record.is_ready and not self.has_been_ready:
            self.has_been_ready = True
            self.say(f"Ready: {_what(record)}. {current_app().invitation} Ctrl-C stops everything.")
            if record.console is not None:
                self.say(f"Look at it: {login_url(self.home, record.console)}")

    def render(self) -> RenderableType:
        if self.record is None:
            return self.spinner
        return Group(Text(), services_table(self.record.services))


@contextmanager
def _showing(console: Console, home: Path) -> Iterator[_Show]:
    show = _Show(console, home)
    if not console.is_terminal:
        yield show
        return
    with Live(get_renderable=show.render, console=console, transient=True, refresh_per_second=8):
        yield show


def _facts(record: UpRecord | None) -> dict[str, object]:
    if record is None:
        return {"running": False, "ready": False, "services": []}
    facts = record.model_dump(mode="json", exclude={"mark"})
    return {"running": True, "ready": record.is_ready, **facts}
