"""docs/steering.md names every status, incident and command that there is, with what can be done about it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from kafka_saga.events.commands import Act
from kafka_saga.tracker.core import incidents, transitions
from kafka_saga.tracker.core.state import StepStatus

TEXT = (Path(__file__).parents[3] / "docs" / "steering.md").read_text(encoding="utf-8")
OF_SERVICES = {Act.CONTINUE}


def rows(header: str) -> list[list[str]]:
    """The cells of the table whose header begins so."""
    lines = TEXT.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [line.strip("|").split(" | ") for line in lines]


def quoted(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def raised() -> Iterator[tuple[str, set[str]]]:
    """Every kind of incident that the core makes, with the commands that it offers."""
    for module in (incidents, transitions):
        tree = ast.parse(inspect.getsource(module))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Incident":
                kind, offered = call.args[1], call.args[5:]
                assert isinstance(kind, ast.Constant)
                names = {name for one in offered if isinstance(one, ast.Name) for name in getattr(module, one.id)}
                yield str(kind.value), names


def test_every_incident_is_listed_with_the_commands_that_it_offers() -> None:
    told = {kind: quoted(solved) for row in rows("kind") for kind, solved in [(*quoted(row[0]), row[2])]}

    assert told == dict(raised())


def test_every_standing_of_a_step_is_explained() -> None:
    assert {name for row in rows("status") for name in quoted(row[0])} == {status.value for status in StepStatus}


def test_every_command_is_in_the_table_of_what_it_does_and_of_what_is_refused() -> None:
    acts = {act.value for act in Act if act not in OF_SERVICES}

    assert {name for row in rows("command | queued steps") for name in quoted(row[0])} == acts
    assert {name for row in rows("command | refused when") for name in quoted(row[0])} == acts
