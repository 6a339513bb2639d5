"""Commands: of one saga at once, of many after a page that says how many, and to which it does not apply."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web
from pydantic import ValidationError

from schemas.api.commands import Accepted, CommandRequest, DryRun
from schemas.events.commands import Act
from services.console.filters import Filter
from services.console.guard import must_act
from services.console.keys import API, Asker
from services.console.pages.forms import Form, back_to, form_of, new_once, text
from services.console.refusals import Refused
from services.console.rendering import page

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for: the command, where to lead back to, and whether a person has confirmed it."""

    request: CommandRequest
    back: str
    once: str
    is_confirmed: bool


@ROUTES.post("/steer")
async def steer(request: web.Request) -> web.Response:
    """Say what a command would come to, or give it."""
    asker = must_act(request)
    wish = wish_of(await form_of(request), asker)
    if not wish.is_confirmed:
        return await _ask_back(request, wish)
    given = await request.app[API].post(Accepted, "/commands", wish.request, headers={"Idempotency-Key": wish.once})
    # A scope is also about those that come later: a number would mislead.
    count = {} if wish.request.scope is not None else {"sagas": str(given.sagas)}
    said = {"asked": wish.request.command.value, **count, "refused": str(len(given.refused))}
    raise web.HTTPSeeOther(back_to(wish.back, "/sagas", **said))


def wish_of(form: Form, asker: Asker) -> Wish:
    """What a form asks for. Raises Refused with what is wrong about it."""
    back, is_confirmed = form.get("back", "/sagas"), form.get("confirmed") == "1"
    expected = form.get("expected", "")
    try:
        request = CommandRequest.model_validate(
            {
                "command": form.get("command", ""),
                **_whom(form),
                "step": text(form, "step"),
                "outcome": text(form, "outcome"),
                "content": _content(text(form, "content")),
                "author": text(form, "author") or asker.session.author,
                "reason": text(form, "reason") or "",
                "dry_run": not is_confirmed,
                "expected": int(expected) if expected.isascii() and expected.isdigit() else None,
            }
        )
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "That command is not complete", _first(error)) from None
    return Wish(request, back, form.get("once") or new_once(), is_confirmed)


def _whom(form: Form) -> dict[str, object]:
    """The sagas that were ticked, all that a filter means, or a scope with those that come later."""
    if scope := text(form, "scope"):
        return {"scope": scope}
    if form.get("whom") != "all":
        return {"saga_ids": tuple(dict.fromkeys(form.getall("saga_id", [])))}
    selection = replace(Filter.of(form), sort="", order="", cursor="").selection()
    return {"selection": selection}


def _content(given: str | None) -> dict[str, object] | None:
    if given is None:
        return None
    try:
        found = json.loads(given)
    except ValueError as error:
        raise Refused(
            HTTPStatus.BAD_REQUEST, "The content is no JSON", f"{error}. Mend it and send it again."
        ) from None
    if not isinstance(found, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The content is no JSON object", 'Write it as {"field": ...}.')
    return found


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(one) for one in first["loc"])
    match where:
        case "":
            return f"{first['msg'].removeprefix('Value error, ')}. Tick sagas, or set a filter."
        case "author":
            return "Say who you are: commands are recorded with their author."
        case _:
            return f"{where}: {first['msg']}."


async def _ask_back(request: web.Request, wish: Wish) -> web.Response:
    checked = await request.app[API].post(DryRun, "/commands", wish.request)
    context = {
        "wish": wish,
        "checked": checked,
        "is_severe": wish.request.command in {Act.CANCEL, Act.SKIP, Act.REWIND},
    }
    return page(request, "confirm.html", context)
