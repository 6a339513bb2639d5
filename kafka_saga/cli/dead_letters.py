"""`saga dlq`: what could not be read, why, and where it came from; published again, or passed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from kafka_saga.cli.connection import connection_of
from kafka_saga.cli.exits import Exit
from kafka_saga.cli.options import Manner, checked, taking
from kafka_saga.cli.output import err, make_sure, out, print_json, safe
from kafka_saga.cli.render.letters import letter_json, letter_table, letter_view
from kafka_saga.cli.steering.giving import Typed, put
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.giving import to_all
from kafka_saga.inspection.commands.redriving import Wanted, put_back, wanted
from kafka_saga.inspection.commands.sending import os_user
from kafka_saga.inspection.log.dead_letters import dead_letters, letter_at
from kafka_saga.inspection.log.reading import partition_count
from kafka_saga.wire.control import of_service
from kafka_saga.wire.wording import line, prose

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that no service could read.")
_AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_SHOWN = 8


@app.command(epilog="Exit codes: 0 listed, 1 failed.")
def ls(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 50,
    as_json: _AsJson = False,
) -> None:
    """List dead letters, the latest last."""
    found = dead_letters(connection_of(context).cluster())
    if as_json:
        print_json([letter_json(letter) for letter in found[-limit:]])
    elif not found:
        out().print("No dead letters.")
    else:
        out().print(letter_table(found[-limit:]))
        if len(found) > limit:
            err().print(f"{len(found) - limit} older ones are not shown: --limit {len(found)}.")


@app.command(epilog="Exit codes: 0 shown, 1 failed or not there.")
def show(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PARTITION/OFFSET", help="As `saga dlq ls` prints it.")],
    as_json: _AsJson = False,
) -> None:
    """Show one dead letter: why it is one, where it came from, its headers and its value."""
    letter = letter_at(connection_of(context).cluster(), place)
    if as_json:
        print_json(letter_json(letter))
    else:
        out().print(letter_view(letter))


@app.command(epilog="Exit codes: 0 published, 1 failed, or not all published.")
def redrive(
    context: typer.Context,
    places: Annotated[
        list[str] | None, typer.Argument(metavar="PARTITION/OFFSET", help="As `saga dlq ls` prints them.")
    ] = None,
    topic: Annotated[str | None, typer.Option(help="All that came from this topic.")] = None,
    service: Annotated[str | None, typer.Option(help="All that this service could not read.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were redriven before.")] = False,
    reason: Annotated[
        str, typer.Option("--reason", "-m", metavar="TEXT", callback=checked(prose), help="Why; kept with the mark.")
    ] = "",
    author: Annotated[
        str | None, typer.Option(callback=checked(line), help="Who asks for it [default: this machine's user].")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which ones.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before publishing more than one.")] = False,
) -> None:
    """Publish dead letters again. As they were, to where they came from, once what read them is mended."""
    cluster = connection_of(context).cluster()
    chosen = wanted(dead_letters(cluster), Wanted(tuple(places or ()), topic, service, every, again))
    if not chosen:
        out().print("No dead letter matches that was not redriven before: nothing was done.")
        return
    out().print(f"{len(chosen):,} dead {'letter' if len(chosen) == 1 else 'letters'}:")
    out().print(Padding(letter_table(chosen[-_SHOWN:]), (0, 0, 0, 2)))
    if len(chosen) > _SHOWN:
        out().print(Text(f"  and {len(chosen) - _SHOWN:,} more, older", "dim"))
    if dry_run:
        out().print("Nothing was published (--dry-run).")
        return
    make_sure(f"Publish {len(chosen):,} dead letters again", is_sure=yes or len(chosen) == 1)
    failed = [one for one in put_back(cluster, chosen, author or os_user(), reason) if one.problem]
    out().print(f"{len(chosen) - len(failed):,} published again.")
    for one in failed[:_SHOWN]:
        err().print(safe(f"{one.letter.place} was not: {one.problem}", "red"), soft_wrap=True)
    if failed:
        raise typer.Exit(Exit.ERROR)


@dataclass(frozen=True, kw_only=True)
class Continuing(Manner):
    """What `saga dlq continue` takes."""

    service: Annotated[
        str, typer.Argument(metavar="SERVICE", callback=checked(line), help="The service's name, as in `saga dlq ls`.")
    ]


@taking(Continuing)
def go_on(context: typer.Context, options: Continuing) -> None:
    """Let a service go on. Its partitions stand still when most of what came could not be read."""
    connection = connection_of(context)
    cluster = connection.cluster()
    order = Typed(Act.CONTINUE, options.author, options.reason, wait=options.wait, as_json=options.as_json)
    command = order.command(of_service(options.service))
    asked = to_all(command, options.command_id, partition_count(cluster, SAGA_COMMANDS))
    raise typer.Exit(put(cluster, connection.groups(), [asked], order))


app.command("continue", epilog="Exit codes: 0 accepted, 1 refused or failed, 6 no answer within --wait.")(go_on)
