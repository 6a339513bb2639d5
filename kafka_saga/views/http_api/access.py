"""Who may write: whoever brings the token; without one, only somebody at this machine, and no web page of others."""

from __future__ import annotations

import codecs
import hmac
from ipaddress import ip_address

from aiohttp import web

from kafka_saga.errors import ChoreographyError
from kafka_saga.views.http_api.problems import ApiError


def refuse_open_writes(host: str, token: str | None) -> None:
    """Raises ChoreographyError where others could give commands without a token."""
    if not token and not is_loopback(host):
        raise ChoreographyError(
            f"The API would take commands from anyone who reaches {host}: set SAGA_API_TOKEN, or SAGA_VIEWS_HOST to "
            "127.0.0.1."
        )


def check_write(request: web.Request, token: str | None) -> None:
    """Raises ApiError: 401 without the token, 403 from a page of another site, 415 for what is no plain JSON."""
    if token:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise ApiError(401, "Writing needs `Authorization: Bearer` with the token in SAGA_API_TOKEN.")
    elif not is_loopback(request.url.host or ""):
        raise ApiError(403, f"Without a token, commands are taken under the name localhost only, not {request.host!r}.")
    if request.content_type != "application/json":
        raise ApiError(415, f"Send `Content-Type: application/json`, not {request.content_type}.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError(415, "Send the content as it is, without `Content-Encoding`.")
    if not _is_utf8(request.charset):
        raise ApiError(415, f"JSON is UTF-8 (RFC 8259, 8.1), not {request.charset!r}: leave `charset` out.")


def _is_utf8(charset: str | None) -> bool:
    try:
        return charset is None or codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):  # there is no such charset
        return False


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
