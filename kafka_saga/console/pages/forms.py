"""What forms carry and where they lead back to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from aiohttp import web
from multidict import MultiDict, MultiDictProxy
from pydantic import ValidationError
from yarl import URL

Form = MultiDictProxy[str]


def new_once() -> str:
    """What makes a form's command idempotent, however often it is sent."""
    return str(uuid.uuid4())


async def form_of(request: web.Request) -> Form:
    """The texts of a form; browsers send line ends as CR LF."""
    found = (
        (name, value.replace("\r\n", "\n")) for name, value in (await request.post()).items() if isinstance(value, str)
    )
    return MultiDictProxy(MultiDict(found))


def text(form: Form, name: str) -> str | None:
    """A field, none if it is empty."""
    return str(form.get(name, "")).strip() or None


def first_of(error: ValidationError) -> str:
    """The first thing that is wrong with what a form asks for, and what to do."""
    first = error.errors()[0]
    where = ".".join(str(one) for one in first["loc"])
    match where:
        case "":
            return f"{first['msg'].removeprefix('Value error, ')}. Tick sagas, or set a filter."
        case "author" if not str(first["input"]).strip():
            return "Say who you are: commands are recorded with their author."
        case _:
            return f"{where}: {first['msg'].removeprefix('Value error, ')}."


def back_to(target: str | None, default: str, **query: str) -> str:
    """A page of this console to lead back to, with `query` added; other targets count for nothing."""
    return str(_local(target, default).update_query(query) if query else _local(target, default))


def without(url: URL, names: Mapping[str, object] | frozenset[str]) -> URL:
    """An address without these parts of its query."""
    return url.with_query([(name, value) for name, value in url.query.items() if name not in names])


def _local(target: str | None, default: str) -> URL:
    if target is None or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return URL(default, encoded=True)
    url = URL(target, encoded=True)
    return URL(default, encoded=True) if url.absolute else without(url, frozenset({"asked", "sagas", "refused"}))
