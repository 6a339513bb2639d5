"""Logging in with the console's token, and out."""

from __future__ import annotations

import logging
import time

from aiohttp import web

from kafka_saga.console.guard import set_session
from kafka_saga.console.keys import ASKER, SESSIONS
from kafka_saga.console.pages.forms import back_to, form_of, text
from kafka_saga.console.rendering import page

LOG = logging.getLogger("saga.console")

ROUTES = web.RouteTableDef()

_LONGEST_NAME = 200


@ROUTES.get("/login")
async def login_page(request: web.Request) -> web.Response:
    """Where the token is asked for."""
    return _form(request, request.query.get("next"))


@ROUTES.post("/login")
async def login(request: web.Request) -> web.Response:
    """Take the token; a browser that has it gets a new session, so that none that was planted is raised."""
    form = await form_of(request)
    author = (text(form, "author") or "")[:_LONGEST_NAME]
    sessions = request.app[SESSIONS]
    if not author or not sessions.is_token(text(form, "token") or ""):
        LOG.warning("a login failed, from %s", request.remote)
        problem = "That is not the token." if author else "Say who you are: commands are recorded with their author."
        return _form(request, form.get("next"), problem=problem, author=author, status=403)
    response = web.HTTPSeeOther(back_to(form.get("next"), "/sagas"))
    set_session(request, response, sessions.new(time.time(), may_act=True, author=author))
    raise response


@ROUTES.post("/logout")
async def logout(request: web.Request) -> web.Response:
    """Be a browser like any other again."""
    response = web.HTTPSeeOther("/sagas")
    set_session(request, response, request.app[SESSIONS].new(time.time()))
    raise response


def _form(
    request: web.Request, target: str | None, *, problem: str = "", author: str = "", status: int = 200
) -> web.Response:
    known = author or request[ASKER].session.author
    context = {"target": back_to(target, "/sagas"), "problem": problem, "author": known}
    return page(request, "login.html", context, status=status)
