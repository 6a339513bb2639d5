"""`saga demo`: everything at once, in a folder of its own: Kafka, the services, a repository, and its review."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from kafka_saga.cli.connection import Connection
from kafka_saga.cli.output import err, out, safe
from kafka_saga.cli.up import start_detached, stop_all
from kafka_saga.local.places import login_url
from kafka_saga.local.up import UpPlan
from services.app.demo_repository import NAME, make_repository
from services.app.exits import Exit
from services.app.review import run_review
from services.app.target import Wishes, pull_request

_KEPT = frozenset({"SAGA_APP", "SAGA_CACHE", "SAGA_DEBUG"})
_REVIEW_SECONDS = 120.0


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps everything.")] = Path("build/demo"),
) -> None:
    """Show it all: a real Kafka, every service, and the review of a small repository, in about half a minute."""
    console, home = out(), folder.absolute() / "home"
    _own_environment(home)
    stop_all(home, err())
    shutil.rmtree(home / "reviews", ignore_errors=True)
    shop = make_repository(folder.absolute() / "shop")
    console.print(Text.assemble("A shop with a change to review: ", safe(shop, "bold")), soft_wrap=True)
    try:
        record = start_detached(UpPlan(home, fresh=True), console, tethered=not keep)
        event = pull_request(shop, Wishes(repository=NAME, number=7))
        with closing(Connection(record.bootstrap, chosen=True)) as connection:
            code = run_review(connection, event, _REVIEW_SECONDS, None)
    finally:
        if not keep:
            stop_all(home, err())
    _say_what_next(console, home, record.console, keep=keep)
    raise typer.Exit(code if code is not Exit.FINDINGS else Exit.OK)


def _own_environment(home: Path) -> None:
    """What is set for other Kafkas and folders does not count here."""
    for name in [name for name in os.environ if name.startswith("SAGA_") and name not in _KEPT]:
        del os.environ[name]
    os.environ["SAGA_HOME"] = str(home)


def _say_what_next(console: Console, home: Path, url: str | None, *, keep: bool) -> None:
    console.print()
    if not keep:
        console.print("Everything is stopped again. `saga demo --keep` leaves it running, to look around.")
        return
    console.print("Everything still runs. Look around with:")
    call = f"SAGA_HOME={_as_typed(home)} {_program()}"
    for command in ("ls", f"show {NAME}#7", f"events {NAME}#7", "status", "down"):
        console.print(safe(f"  {call} {command}"), soft_wrap=True)
    if url is not None:
        console.print(Text.assemble("\nIn the browser: ", safe(login_url(home, url), "bold")), soft_wrap=True)


def _program() -> str:
    """How `saga` is called from this folder: by its name where a shell finds this one by it, else by its path."""
    own, found = Path(sys.argv[0]).absolute(), shutil.which("saga")
    is_found = found is not None and Path(found).resolve() == own.resolve()
    return "saga" if is_found or own.name != "saga" else _as_typed(own)


def _as_typed(path: Path) -> str:
    """A path as it is typed in a shell, from the folder we are in where that is shorter."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
