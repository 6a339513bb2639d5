"""The events of one saga as the tree of what caused what, each with what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from kafka_saga.cli.output import safe
from kafka_saga.cli.render.bytes import preview
from kafka_saga.inspection.log.decoding import Happened, header_texts
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.wording import length

_MAX_TEXT = 120


def events_view(state: SagaState, happened: Sequence[Happened]) -> RenderableType:
    """The tree of events; what has no known cause is a root."""
    known = {one.id for one in happened}
    root = Tree(safe(state.saga_id, "bold"), guide_style="bright_black")
    start = happened[0].at if happened else 0
    for one in happened:
        if one.cause is None or one.cause not in known:
            _grow(root, one, happened, start, frozenset())
    if not happened:
        root.add(Text("no events are known", "dim"))
    return root


def _grow(branch: Tree, one: Happened, happened: Sequence[Happened], start: int, above: frozenset[str]) -> None:
    """Add an event and its effects; ids that repeat on the way down are no effects of themselves."""
    node = branch.add(_described(one, start))
    below = above | {one.id}
    for effect in happened:
        if effect.cause == one.id and effect.id not in below:
            _grow(node, effect, happened, start, below)


def _described(one: Happened, start: int) -> RenderableType:
    style = "bold red" if one.type == "step.failed" else "bold cyan"
    head = Text.assemble(
        safe(one.type, style),
        (f"  +{length(one.at - start)}", ""),
        "  ",
        safe(one.where, "dim"),
        safe(f"  by {one.step}" if one.step else "", "dim"),
        (f"  attempt {one.attempt}" if one.attempt > 1 else "", "yellow"),
        (f"  epoch {one.epoch}" if one.epoch else "", "yellow"),
    )
    parts: list[RenderableType] = [head]
    if one.problem:
        parts.append(safe(one.problem, "red"))
    if one.event is not None:
        parts.append(_content(one.event.model_dump(mode="json")))
    elif one.record is not None:
        parts += [_headers(one), preview(one.record.value)]
    return Group(*parts)


def _content(fields: dict[str, object]) -> Table:
    """A line for each field that holds something; what is nested, on one line, cut."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, [], {}):
            table.add_row(safe(name), safe(brief(value)))
    return table


def brief(value: object) -> str:
    """A value on one line of at most 120 characters."""
    count = f"{len(value)}: " if isinstance(value, list) and len(value) > 1 else ""
    text = value if isinstance(value, str) else count + json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."


def _headers(one: Happened) -> Text:
    texts = header_texts(one.record) if one.record else {}
    return Text("\n").join(safe(f"{name}: {value}", "dim") for name, value in texts.items())
