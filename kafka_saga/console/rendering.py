"""Templates: always escaped, text of others made visible, and what every page knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup, escape
from yarl import URL

from kafka_saga.api.sagas import Action
from kafka_saga.app import App
from kafka_saga.console import words
from kafka_saga.console.keys import ASKER, SESSIONS, SETTINGS, Asker
from kafka_saga.console.sessions import Session
from kafka_saga.events.commands import Act

HERE = Path(__file__).parent
STATIC = HERE / "static"

ACTS = frozenset({*(act.value for act in Act), "publish"})
"""What a page can say that has been asked for."""

NOBODY = Asker(Session("", 0), "")


def set_up(made: web.Application, app: App) -> None:
    """Give the console its templates, and those of an application's own pages."""
    folders = (HERE / "templates", *(page.templates for page in app.pages if page.templates is not None))
    environment = aiohttp_jinja2.setup(
        made,
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = (words.moment, words.clock, words.number, words.counted, words.plain, words.scoped, words.tone, words.mark)
    environment.filters.update({one.__name__: one for one in own})
    environment.filters.update(
        {"duration": words.duration, "since": words.since, "anchor": anchor, "pretty": pretty, "prose": prose}
    )
    environment.globals.update({"asset": asset, "url": url, "saga_url": saga_url, "acts": ACTS, "action_of": action_of})
    environment.globals.update({"links_of": app.links_of, "invitation": app.invitation})


def shown(value: object) -> object:
    """What an expression of a template comes to: of our own markup itself, of text only what can be seen."""
    if isinstance(value, Markup):
        return value
    return words.visible(value) if isinstance(value, str) else value


def anchor(name: str) -> str:
    """An HTML id for a name that may hold anything."""
    return f"x{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def prose(sentence: str) -> Markup:
    """A sentence of the tracker; what it has in backquotes, commands, as code."""
    parts = [escape(words.visible(part)) for part in sentence.split("`")]
    if len(parts) % 2 == 0:
        return escape(words.visible(sentence))
    marked = (Markup("<code>{}</code>").format(one) if at % 2 else one for at, one in enumerate(parts))
    return Markup("").join(marked)


def pretty(value: object) -> str:
    """What an event says, as JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def url(path: str, **query: str) -> str:
    """An address of ours."""
    return str(URL(path).with_query(query))


def saga_url(saga_id: str) -> str:
    """The page of a saga; its id may hold anything."""
    return f"/sagas/{quote(saga_id, safe='')}"


def action_of(command: str, step: str | None) -> Action:
    """A command of an incident as an action."""
    return Action(command=command, step=step, label=command.capitalize(), outcomes={})


def asset(name: str) -> str:
    """The address of a file in static/, which changes with its content."""
    return versioned(f"/static/{name}", STATIC / name)


@cache
def versioned(address: str, file: Path) -> str:
    """An address below `/static/` with the version of the file that it answers with: browsers keep the answer."""
    return f"{address}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def is_fragment(request: web.Request) -> bool:
    """Whether a part of a page asks, and not a person."""
    return request.headers.get("HX-Request") == "true"


def page(request: web.Request, name: str, context: Mapping[str, object], status: int = 200) -> web.Response:
    """A page by its template."""
    asker = request.get(ASKER, NOBODY)
    known: dict[str, object] = {
        "asker": asker,
        "may_act": asker.session.may_act,
        "has_token": request.app[SESSIONS].has_token,
        "is_private": request.app[SETTINGS].is_private,
        "here": request.path_qs,
        "query": request.query,
        "section": request.path.split("/")[1],
        "now": datetime.now(UTC),
        "behind_s": 0.0,
        **context,
    }
    return aiohttp_jinja2.render_template(name, request, known, status=status)
