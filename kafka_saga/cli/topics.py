"""`saga topics`: what the sagas need on Kafka, and whether it is there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from kafka_saga.app import current_app
from kafka_saga.broker.port import Admin
from kafka_saga.cli.connection import connection_of
from kafka_saga.cli.exits import Exit
from kafka_saga.cli.output import out, print_json, safe
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicFactory, TopicSpec, state_topic, topics_of
from kafka_saga.inspection.log.loading import asked_for

DEFAULT_PARTITIONS = 4


class TopicJson(msgspec.Struct, frozen=True):
    """A topic for scripts: `partitions` is none where it is missing."""

    name: str
    partitions: int | None
    wanted_partitions: int
    created: bool
    problems: tuple[str, ...]


def topics(
    context: typer.Context,
    create: Annotated[bool, typer.Option("--create", help="Create what is missing.")] = False,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Partitions of topics to create [default: as the others have, else 4].")
    ] = None,
    definition: Annotated[
        list[str],
        typer.Option(
            "--definition", "-d", metavar="MODULE:ATTRIBUTE", help="Definitions to check for [default: the app's]."
        ),
    ] = [],  # noqa: B006  # typer copies it
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Check the topics that the sagas need; --create makes what is missing."""
    sagas = asked_for(definition)
    checked = check_topics(connection_of(context).cluster().admin(), sagas, partitions, create=create)
    if as_json:
        print_json(checked)
    else:
        out().print(topics_table(checked))
        out().print(verdict(checked), soft_wrap=True)
    if not all(map(is_well, checked)):
        raise typer.Exit(Exit.ERROR)


def check_topics(
    admin: Admin, sagas: Sequence[Saga], partitions: int | None, *, create: bool = False
) -> list[TopicJson]:
    """Every topic and how it is. Raises UnavailableError if Kafka is away, TopologyError if one cannot be created."""
    names = [spec.name for spec in specs_of(sagas, 1)]
    existing = admin.partitions(names)
    count = partitions or existing.get(sagas[0].starts_on.event_type) or next(iter(existing.values()), 0)
    specs = specs_of(sagas, count or int(os.environ.get("SAGA_PARTITIONS", DEFAULT_PARTITIONS)))
    created = admin.create_missing(specs) if create else ()
    existing = admin.partitions(names)
    return [_checked(admin, spec, existing, created) for spec in specs]


def specs_of(sagas: Sequence[Saga], partitions: int) -> tuple[TopicSpec, ...]:
    """The specs of everything that these definitions and their services need."""
    make = TopicFactory(partitions, int(os.environ.get("SAGA_REPLICATION_FACTOR", "1")))
    app = current_app()
    is_apps = any(saga in app.definitions for saga in sagas)
    states = (make.changelog(state_topic(service)) for service in (app.stateful if is_apps else ()))
    return (*topics_of(sagas, make), *states)


def is_well(topic: TopicJson) -> bool:
    """Whether a topic is there and fits."""
    return topic.partitions is not None and not topic.problems


def topics_table(checked: Sequence[TopicJson]) -> Table:
    """One topic a line."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("TOPIC", overflow="fold")
    table.add_column("PARTITIONS", justify="right")
    table.add_column("STATE", overflow="fold")
    for topic in checked:
        count = "" if topic.partitions is None else str(topic.partitions)
        table.add_row(safe(topic.name), Text(count), _state(topic))
    return table


def verdict(checked: Sequence[TopicJson]) -> str:
    """What is to do, in a sentence."""
    missing = sum(topic.partitions is None for topic in checked)
    unfit = sum(bool(topic.problems) for topic in checked)
    if missing:
        return f"\n{missing} of {len(checked)} topics are missing: `saga topics --create` makes them."
    if unfit:
        return f"\n{unfit} of {len(checked)} topics do not fit: see above what to change."
    return f"\nAll {len(checked)} topics are there and fit."


def _state(topic: TopicJson) -> Text:
    if topic.problems:
        return safe("; ".join(topic.problems), "red")
    if topic.partitions is None:
        return Text("missing", "yellow")
    return Text("created", "green") if topic.created else Text("ok", "green")


def _checked(admin: Admin, spec: TopicSpec, existing: Mapping[str, int], created: Sequence[str]) -> TopicJson:
    count = existing.get(spec.name)
    problems = admin.differences([spec]) if count is not None else ()
    return TopicJson(spec.name, count, spec.partitions, spec.name in created, tuple(problems))
