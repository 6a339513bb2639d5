"""`saga topology`: draws a saga definition, and lints it first.

Exit codes: 0 drawn; 1 the definition has problems (each on a line of stderr); 2 there is no such definition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from kafka_saga.definition.diagram import as_mermaid, as_text
from kafka_saga.definition.lint import lint
from kafka_saga.definition.model import Saga, in_full
from kafka_saga.errors import TopologyError
from kafka_saga.inspection.log.loading import asked_for

HAS_PROBLEMS = 1
NOT_FOUND = 2


class Format(StrEnum):
    """How a definition is printed."""

    TEXT = "text"
    MERMAID = "mermaid"
    JSON = "json"


def topology(
    output: Annotated[
        Format, typer.Option("--format", "-f", help="A drawing in text, a mermaid flowchart, or plain JSON.")
    ] = Format.TEXT,
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition", "-d", metavar="MODULE:ATTRIBUTE", help="Which definition to draw [default: the app's]."
        ),
    ] = None,
) -> None:
    """Draw a saga definition: its steps, decisions, bounds and ends."""
    sagas = _found([definition] if definition is not None else [])
    problems = [problem for saga in sagas for problem in lint(saga)]
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(HAS_PROBLEMS)
    for saga in sagas:
        typer.echo(rendered(saga, output), nl=False)


def rendered(saga: Saga, output: Format) -> str:
    """The definition in the asked format, ending in a newline."""
    match output:
        case Format.TEXT:
            return as_text(saga)
        case Format.MERMAID:
            return as_mermaid(saga)
        case Format.JSON:
            described = {**in_full(saga.describe()), "description": saga.description, "content_hash": saga.content_hash}
            return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _found(names: Sequence[str]) -> tuple[Saga, ...]:
    try:
        return asked_for(names)
    except TopologyError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(NOT_FOUND) from error
