"""Dead letters for people and scripts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kafka_saga.cli.output import clock, safe
from kafka_saga.cli.render.bytes import preview
from kafka_saga.inspection.log.dead_letters import DeadLetter
from kafka_saga.inspection.log.decoding import as_base64, as_text, header_texts
from kafka_saga.inspection.log.times import iso


class LetterJson(msgspec.Struct, frozen=True):
    """A dead letter for scripts; `value` where it is text, `value_base64` always."""

    place: str
    at: str | None
    reason: str
    code: str
    source: str
    service: str
    redriven_at: str | None
    key_base64: str | None
    headers: dict[str, str]
    value: str | None
    value_base64: str | None


def letter_table(found: Sequence[DeadLetter]) -> Table:
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
            safe(letter.reason, "red")
            if letter.redriven_at is None
            else safe(f"redriven; was: {letter.reason}", "dim"),
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
        redriven_at=iso(letter.redriven_at),
        key_base64=as_base64(letter.record.key),
        headers={name: texts[name] for name, _ in letter.headers},
        value=None if value is None else as_text(value),
        value_base64=as_base64(value),
    )
