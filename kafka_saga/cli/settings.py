"""`saga settings`: every environment variable that the framework and the application know, and what it is here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from rich.table import Table
from rich.text import Text

from kafka_saga.app import App, current_app, resolve
from kafka_saga.cli.output import out, print_json, safe
from kafka_saga.errors import TopologyError

FRAMEWORK = ("kafka_saga.worker.settings:Settings",)
EXTRAS = ("kafka_saga.views.settings:ViewsSettings", "kafka_saga.console.settings:ConsoleSettings")
"""Settings of parts that may not be installed."""

SECRET = "(set)"  # noqa: S105  # what is shown in place of one


class SettingJson(msgspec.Struct, frozen=True):
    """A setting for scripts. `value`: what the environment says, none if nothing; of a token only that it is set."""

    variable: str
    value: str | None
    default: str | None
    meaning: str


def settings(as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False) -> None:
    """List every setting: its environment variable, what it is here, and what it means."""
    found = settings_of(current_app())
    if as_json:
        print_json(found)
    else:
        out().print(settings_table(found))


def settings_of(app: App) -> list[SettingJson]:
    """The settings of the framework and of an application, each variable once. Raises TopologyError."""
    extras = (name for name in EXTRAS if _is_installed(name))
    classes = (resolve(name) for name in (*FRAMEWORK, *extras, *app.settings))
    return list({one.variable: one for found in classes for one in _settings(found)}.values())


def settings_table(found: list[SettingJson]) -> Table:
    """One setting a line; what the environment has set stands out."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("VARIABLE", "VALUE", "MEANING"):
        table.add_column(title, overflow="fold")
    for one in found:
        value = safe(one.value, "bold") if one.value is not None else Text(one.default or "-", "dim")
        table.add_row(one.variable, value, Text(one.meaning))
    return table


def _is_installed(name: str) -> bool:
    try:
        resolve(name)
    except TopologyError:
        return False
    return True


def _settings(found: type[BaseSettings]) -> Iterator[SettingJson]:
    prefix = found.model_config.get("env_prefix", "")
    for name, info in found.model_fields.items():
        if not info.exclude:
            variable = f"{prefix}{name}".upper()
            yield SettingJson(variable, _value(variable, name), _default(info), info.description or "")


def _value(variable: str, name: str) -> str | None:
    value = os.environ.get(variable)
    return SECRET if value is not None and name.endswith("token") else value


def _default(info: FieldInfo) -> str | None:
    default = info.get_default(call_default_factory=True, validated_data={})
    return None if default is None or default == "" else str(default)
