"""Cursors as clients get them: a place in an order, and which order that is, in base64url. Not secret, not signed."""

from __future__ import annotations

import base64
import binascii

import msgspec

from kafka_saga.views.http_api.problems import ApiError
from kafka_saga.views.port import After

_DECODER = msgspec.json.Decoder(tuple[str, int | str, str])
_BAD = "The cursor leads nowhere in this list: it is none of ours, or of a list in another order. Ask without it."


def cursor_text(order: str, place: After | None) -> str | None:
    """A cursor for the next page; none after the last."""
    if place is None:
        return None
    text = msgspec.json.encode((order, place.value, place.id))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def place_of(order: str, text: str | None, kind: type[int] | type[str] = int) -> After | None:
    """The place that a cursor means in this order, whose values are of this kind. Raises ApiError (404)."""
    if text is None:
        return None
    try:
        given = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        said, value, identity = _DECODER.decode(given)
    except (binascii.Error, UnicodeError, msgspec.DecodeError):
        raise ApiError(404, _BAD) from None
    if said != order or not isinstance(value, kind):
        raise ApiError(404, _BAD)
    return After(value, identity)
