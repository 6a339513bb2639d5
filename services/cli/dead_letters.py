"""`saga dlq`: what could not be read, why, and where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.errors import ChoreographyError
from services.chassis.port import Cluster
from services.chassis.records import Headers, Record, TopicPartition
from services.cli.connection import connection_of
from services.cli.decoding import as_base64, header_texts, read_places
from services.cli.output import clock, err, iso, out, print_json, safe
from services.cli.reading import NotFoundError, partition_count, to_the_end
from services.cli.views.bytes import as_text, preview
from topology.topics import DEAD_LETTERS

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that no service could read.")
_PLACE = re.compile(r"^(\d+)/(\d+)$")
_AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as its headers tell it: why, from where, by which service."""

    record: Record
    reason: str
    code: str
    source: str
    service: str
    headers: Headers

    @property
    def place(self) -> str:
        """What `saga dlq show` is asked with."""
        return f"{self.record.partition}/{self.record.offset}"


class LetterJson(msgspec.Struct, frozen=True):
    """A dead letter for scripts; `value` where it is text, `value_base64` always."""

    place: str
    at: str | None
    reason: str
    code: str
    source: str
    service: str
    key_base64: str | None
    headers: dict[str, str]
    value: str | None
    value_base64: str | None


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


def dead_letters(cluster: Cluster) -> list[DeadLetter]:
    """All dead letters, by when they were written."""
    count = partition_count(cluster, DEAD_LETTERS)
    reader = cluster.reader()
    try:
        records = list(to_the_end(reader, {TopicPartition(DEAD_LETTERS, number): None for number in range(count)}))
    finally:
        reader.close()
    records.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    return [letter_of(record) for record in records]


def letter_at(cluster: Cluster, place: str) -> DeadLetter:
    """The dead letter at `PARTITION/OFFSET`. Raises ChoreographyError if there is none."""
    found = _PLACE.match(place)
    if found is None:
        raise ChoreographyError(f"{place!r} is no place: give PARTITION/OFFSET, as `saga dlq ls` prints it.")
    at = (DEAD_LETTERS, int(found[1]), int(found[2]))
    if at[1] >= partition_count(cluster, DEAD_LETTERS):
        raise NotFoundError(f"{DEAD_LETTERS} has no partition {at[1]}.")
    record = read_places(cluster, [at]).get(at)
    if record is None:
        raise NotFoundError(f"No dead letter lies at {place}: `saga dlq ls` lists them.")
    return letter_of(record)


def letter_of(record: Record) -> DeadLetter:
    """A record of the topic as a dead letter."""
    texts = header_texts(record)
    source = f"{texts.get('dlq_topic', '?')}[{texts.get('dlq_partition', '?')}]@{texts.get('dlq_offset', '?')}"
    return DeadLetter(
        record,
        reason=texts.get("dlq_reason", "it does not say why"),
        code=texts.get("dlq_code", "?"),
        source=source,
        service=texts.get("dlq_service", "?"),
        headers=[(name, value) for name, value in record.headers if not name.startswith("dlq_")],
    )


def letter_table(found: list[DeadLetter]) -> Table:
    """One dead letter a line."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("PLACE", "WHEN", "SERVICE", "FROM"):
        table.add_column(title, no_wrap=title != "FROM", overflow="fold")
    table.add_column("REASON", overflow="fold", ratio=1)
    for letter in found:
        table.add_row(
            Text(letter.place, "bold"),
            Text(clock(letter.record.timestamp), "dim"),
            safe(letter.service),
            safe(letter.source, "dim"),
            safe(letter.reason, "red"),
        )
    return table


def letter_view(letter: DeadLetter) -> RenderableType:
    """One dead letter in full."""
    facts = (
        ("reason", safe(letter.reason, "red")),
        ("code", safe(letter.code)),
        ("from", safe(letter.source)),
        ("service", safe(letter.service)),
        ("when", Text(clock(letter.record.timestamp))),
        ("key", Text("none", "dim") if letter.record.key is None else preview(letter.record.key)),
    )
    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        table.add_row(Text(name, "dim"), value)
    texts = header_texts(letter.record)
    headers = [safe(f"  {name}: {texts[name]}") for name, _ in letter.headers] or [Text("  none", "dim")]
    size = len(letter.record.value or b"")
    return Group(
        table, Text("\nheaders", "dim"), *headers, Text(f"\nvalue, {size:,} bytes", "dim"), preview(letter.record.value)
    )


def letter_json(letter: DeadLetter) -> LetterJson:
    """One dead letter for scripts."""
    value = letter.record.value
    texts = header_texts(letter.record)
    return LetterJson(
        place=letter.place,
        at=iso(letter.record.timestamp),
        reason=letter.reason,
        code=letter.code,
        source=letter.source,
        service=letter.service,
        key_base64=as_base64(letter.record.key),
        headers={name: texts[name] for name, _ in letter.headers},
        value=None if value is None else as_text(value),
        value_base64=as_base64(value),
    )
