"""Commands: of one saga at once, of many after a page that says how many, and to which it does not apply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web
from pydantic import ValidationError

from kafka_saga.api.command_fields import TAKES
from kafka_saga.api.commands import Accepted, CommandRequest, DryRun
from kafka_saga.api.problems import ProblemType
from kafka_saga.console.api_client import Unanswered
from kafka_saga.console.filters import Filter
from kafka_saga.console.guard import must_act
from kafka_saga.console.keys import API, Asker
from kafka_saga.console.pages.forms import Form, back_to, first_of, form_of, new_once, text
from kafka_saga.console.refusals import Refused
from kafka_saga.console.rendering import page
from kafka_saga.errors import DecodeError
from kafka_saga.events.commands import Act
from kafka_saga.wire.json_text import json_object

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
    given = await _given(request, wish)
    # A scope is also about those that come later: a number would mislead.
    count = {} if wish.request.scope is not None else {"sagas": str(given.sagas)}
    said = {"asked": wish.request.command.value, **count, "refused": str(len(given.refused))}
    raise web.HTTPSeeOther(back_to(wish.back, "/sagas", **said))


async def _given(request: web.Request, wish: Wish) -> Accepted:
    try:
        return await request.app[API].post(Accepted, "/commands", wish.request, headers={"Idempotency-Key": wish.once})
    except Unanswered as error:
        if error.problem.type != ProblemType.KEY_REUSED.urn:
            raise
        advice = "Something else was asked for with it, and only that counts. Load the page again, then ask for this."
        raise Refused(HTTPStatus.CONFLICT, "That form was sent before", advice) from None


def wish_of(form: Form, asker: Asker) -> Wish:
    """What a form asks for. Raises Refused with what is wrong about it."""
    back, is_confirmed = form.get("back", "/sagas"), form.get("confirmed") == "1"
    expected = form.get("expected", "")
    try:
        request = CommandRequest.model_validate(
            {
                "command": form.get("command", ""),
                **_whom(form),
                **_particulars(form),
                "author": text(form, "author") or asker.session.author,
                "reason": text(form, "reason") or "",
                "dry_run": not is_confirmed,
                "expected": int(expected) if expected.isascii() and expected.isdigit() else None,
            }
        )
    except ValidationError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "That command is not complete", first_of(error)) from None
    return Wish(request, back, form.get("once") or new_once(), is_confirmed)


def _particulars(form: Form) -> dict[str, object]:
    """What belongs to the command; other fields of the form are the filter's, or of a choice that was not taken."""
    command = form.get("command", "")
    taken = TAKES.get(Act(command), frozenset()) if command in set(Act) else frozenset()
    found: dict[str, object] = {name: text(form, name) for name in taken & {"step", "outcome"}}
    return found | ({"content": _content(text(form, "content"))} if "content" in taken else {})


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
        return json_object(given.encode(errors="surrogatepass"))
    except DecodeError as error:
        advice = f"It {error.what}. Mend it and send it again."
        raise Refused(HTTPStatus.BAD_REQUEST, "The content is no JSON object", advice) from None


async def _ask_back(request: web.Request, wish: Wish) -> web.Response:
    checked = await request.app[API].post(DryRun, "/commands", wish.request)
    context = {
        "wish": wish,
        "checked": checked,
        "is_severe": wish.request.command in {Act.CANCEL, Act.SKIP, Act.REWIND},
    }
    return page(request, "confirm.html", context)
