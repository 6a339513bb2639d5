"""The application of docs/defining-sagas.md, in the folder that the guide leaves behind: it joins with all it has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from kafka_saga import App
from tests.unit.docs.guide import GUIDE, Kind, blocks, run, write

DEFINING = GUIDE.with_name("defining-sagas.md")
SAGA = "kafka_saga.cli.main --app shop.app:APP"

SHOWN = """
from kafka_saga.app import load_app
from kafka_saga.console.app import make_app
from kafka_saga.console.settings import ConsoleSettings
from kafka_saga.local.up import programs

app = load_app("shop.app:APP")
for program in programs(app):
    print(program.name, *program.command[3:])
print({route.resource.canonical for route in make_app(ConsoleSettings(), app).router.routes() if route.resource})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's files as they are at its end, and those of the application."""
    made = tmp_path_factory.mktemp("application")
    for document in (GUIDE, DEFINING):
        for block in blocks(document.read_text(encoding="utf-8")):
            if block.kind is Kind.FILE:
                write(made, block)
    (made / "shop" / "__init__.py").touch()
    (made / "shown.py").write_text(SHOWN)
    return made


def test_its_command_is_one_of_saga(folder: Path) -> None:
    assert "  place      Place an order.\n" in run(folder, f"{SAGA} --help").said
    assert "Place an order." in run(folder, f"{SAGA} place --help").said


def test_its_definition_is_drawn_without_being_named(folder: Path) -> None:
    ran = run(folder, f"{SAGA} topology")

    assert ran.code == 0, ran.said
    assert "deadline 1 h" in ran.said


def test_its_services_are_what_saga_up_starts_and_its_page_is_one_of_the_console(folder: Path) -> None:
    *programs, routes = run(folder, "shown", "-W", "error").said.splitlines()

    assert programs == [
        *(f"{step} shop {step}" for step in ("payment", "stock", "shipping")),
        *(f"{name} kafka_saga {name}" for name in ("tracker", "views", "console")),
    ]
    assert "'/sagas/{saga_id}/invoice'" in routes


@pytest.mark.parametrize("name", ["tracker", "views", "console"])
def test_the_processes_of_the_framework_are_commands(folder: Path, name: str) -> None:
    ran = run(folder, f"kafka_saga {name} --help")

    assert (ran.code, "until told to stop" in ran.said) == (0, True)


def test_the_table_has_every_field() -> None:
    table = DEFINING.read_text(encoding="utf-8").split("| of an `App` |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]

    assert sorted(named) == sorted(field.name for field in fields(App))
