"""What is paused beyond single sagas, as a list with the command that ends each pause."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from kafka_saga.api.topology import PausedScope
from kafka_saga.cli.output import safe, word
from kafka_saga.inspection.log.times import instant
from kafka_saga.wire import control
from kafka_saga.wire.wording import length

_OPTIONS = {control.DEFINITION: "--definition", control.STEP: "--step", control.PREFIX: "--key-prefix"}


def pauses_table(found: Sequence[PausedScope], now: int) -> Table:
    """One pause a row: its scope, since when, by whom, why, and how it is resumed. `now` is milliseconds UTC."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("SCOPE", overflow="fold", ratio=2)
    table.add_column("AGE", justify="right", no_wrap=True)
    table.add_column("BY WHOM, WHY, AND HOW TO END IT", overflow="fold", ratio=3)
    for one in found:
        age = now - instant(one.at)
        why = f"{one.by}: {one.reason}" if one.reason else one.by
        said = Text.assemble(safe(why), "\n", safe(resuming(one.scope), "cyan"))
        table.add_row(safe(one.scope, "bold"), Text(length(age), "dim"), said)
    return table


def resuming(scope: str) -> str:
    """The command that resumes a scope, as one would type it: `saga resume --step order/payment`."""
    kind, _, name = scope.partition(":")
    return f"saga resume {_OPTIONS[f'{kind}:']} {word(name)}"
