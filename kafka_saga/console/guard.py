"""What stands between the network and the pages: known hosts, same origin, forms of one's own, strict headers."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from yarl import URL

from kafka_saga.console.keys import ASKER, SESSIONS, SETTINGS, Asker
from kafka_saga.console.refusals import Refused
from kafka_saga.console.sessions import COOKIE, LIFETIME, Session, Sessions

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE = frozenset({"GET", "HEAD"})
OPEN = ("/static/", "/login")
"""What can be had without a login even where looking needs one."""

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer carries the headers; pages are not kept by caches, assets are asked for anew by their version."""
    response.headers.update(HEADERS)
    is_asset = request.path.startswith("/static/") and "v" in request.query
    response.headers.setdefault("Cache-Control", "public, max-age=31536000, immutable" if is_asset else "no-store")
    response.headers.setdefault("Vary", "HX-Request")


@web.middleware
async def known_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that nobody has told us of: a foreign page may have had its own name point here (DNS rebinding)."""
    name = host_name(request.host)
    if not (_is_address(name) or name in request.app[SETTINGS].names):
        raise Refused(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"This console is not known as {name}",
            "Use its IP address or localhost, or add the name to SAGA_CONSOLE_NAMES and start it again.",
        )
    return await handler(request)


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends."""
    if request.method not in SAFE and not _is_own(request):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "That did not come from this console",
            "Forms of other sites are not taken. Open the console's own page, and send the form from there.",
        )
    return await handler(request)


@web.middleware
async def with_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Know who asks; where others can reach us nobody looks without a login; every form must be the asker's own."""
    sessions = request.app[SESSIONS]
    found = sessions.open(request.cookies.get(COOKIE), time.time())
    session = found or sessions.new(time.time())
    request[ASKER] = Asker(session, sessions.csrf(session))
    if not (session.may_act or request.app[SETTINGS].is_private or request.path.startswith(OPEN)):
        raise web.HTTPSeeOther(login_url(request))
    if request.method not in SAFE:
        await _check_form(request, sessions, found)
    response = await handler(request)
    if found is None and not (response.prepared or request.path.startswith("/static/")):
        set_session(request, response, session)
    return response


def set_session(request: web.Request, response: web.StreamResponse, session: Session) -> None:
    """Give the browser this session."""
    sealed = request.app[SESSIONS].seal(session)
    response.set_cookie(
        COOKIE, sealed, max_age=LIFETIME, httponly=True, samesite="Strict", secure=request.secure, path="/"
    )


def login_url(request: web.Request) -> str:
    """The page to log in at, which leads back to where one was."""
    back = request.path_qs if request.method == "GET" else "/sagas"
    return str(URL("/login").with_query(next=back))


def must_act(request: web.Request) -> Asker:
    """Who asks, if that one may act; others are sent to log in."""
    asker = request[ASKER]
    if not asker.session.may_act:
        raise web.HTTPSeeOther(login_url(request))
    return asker


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def _check_form(request: web.Request, sessions: Sessions, session: Session | None) -> None:
    given = request.headers.get("X-CSRF-Token") or str((await request.post()).get("csrf", ""))
    if session is None or not sessions.is_csrf(session, given):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "That form is out of date",
            "The page was open for longer than a login lasts, or cookies are off. Go back, load the page again, "
            "and send it once more: nothing was done.",
        )


def _is_own(request: web.Request) -> bool:
    """Whether the browser says that this site's own page sends this."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return secrets.compare_digest(origin.partition("://")[2].encode(), request.host.encode())
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
