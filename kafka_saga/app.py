"""An application on the framework, as the command line, the views and the console know it.

An application names what is its own: definitions, services, commands, pages, links. It is given as `module:ATTRIBUTE`
by `saga --app`, by `SAGA_APP`, or by the file `saga-app` in the virtual environment, in this order. Nothing is looked
for in the directory in which a command happens to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kafka_saga.definition.loader import named
from kafka_saga.definition.model import Saga, latest_versions
from kafka_saga.errors import TopologyError

VARIABLE = "SAGA_APP"
"""The environment variable that names the application."""

ENVIRONMENT_FILE = "saga-app"
"""The file at the root of a virtual environment that names the application of a checkout."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the application's own. `function`: a typer command, as `module:FUNCTION`."""

    name: str
    function: str
    epilog: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Pages of the console. `routes`: aiohttp routes, as `module:ATTRIBUTE`; `templates`: a folder of jinja's."""

    routes: str
    templates: Path | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link on the page of each saga of a definition. `path` is below the address of the saga's page."""

    definition: str
    label: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class App:
    """What is an application's own.

    `definitions`: its sagas, of several versions of one all that may still run. `services`: what `saga up` starts, by
    the service's name what follows `python -m`: a module and its arguments (`shop payment`). `stateful`: those that
    keep state. `api`: routes of the HTTP API below `/api/v1`, each a sequence of
    `kafka_saga.views.http_api.routes.Route` as `module:ATTRIBUTE`. `settings`: classes of settings from the
    environment, as `module:CLASS`; `saga settings` lists them. `invitation`: a sentence that says how a first saga is
    begun.
    """

    definitions: Sequence[Saga] = ()
    services: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stateful: Sequence[str] = ()
    commands: Sequence[Command] = ()
    pages: Sequence[Page] = ()
    api: Sequence[str] = ()
    links: Sequence[Link] = ()
    settings: Sequence[str] = ()
    invitation: str = ""

    @property
    def latest(self) -> dict[str, Saga]:
        """Of each definition the latest version, by name."""
        return latest_versions(self.definitions)

    def links_of(self, definition: str) -> tuple[Link, ...]:
        """The links on the page of a saga of this definition."""
        return tuple(link for link in self.links if link.definition == definition)


NO_APP = App()
"""What there is where no application is named: sagas are shown by what the log says of them."""


def current_app() -> App:
    """The application of this process; `NO_APP` if none is named. Raises TopologyError if it cannot be loaded."""
    name = name_of_app()
    return load_app(name) if name else NO_APP


def name_of_app() -> str:
    """What `SAGA_APP` says, else the virtual environment; empty if neither says anything."""
    if (named := os.environ.get(VARIABLE)) is not None:
        return named.strip()
    file = Path(sys.prefix) / ENVIRONMENT_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


@lru_cache(maxsize=8)
def load_app(name: str) -> App:
    """The application that `module:ATTRIBUTE` names. Raises TopologyError, saying what is missing and what to do."""
    found = resolve(name)
    if not isinstance(found, App):
        raise TopologyError(f"{name} is a {type(found).__name__}, not an App: name one as in services.app:APP.")
    return found


def resolve(name: str) -> Any:  # whatever the module holds
    """What `module:ATTRIBUTE` names. Raises TopologyError, saying what is missing and what to do."""
    module, attribute = named(name, "part of an application", "services.app:APP")
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise TopologyError(f"module {module.__name__!r} has no {attribute}: see what it defines.") from None
