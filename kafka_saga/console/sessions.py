"""Who looks at the console: a signed cookie, nothing kept on the server; a new token ends every session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

LIFETIME = 12 * 3600
"""Seconds that a login lasts."""

COOKIE = "saga_console"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser. `until` is seconds since 1970; `author` is how its person wants to be named in commands."""

    nonce: str
    until: int
    may_act: bool = False
    author: str = ""


class Sessions:
    """Makes and reads sessions, by a secret that only this console (or all of the same token) knows."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        secret = token.encode() if token is not None else secrets.token_bytes(32)
        self._key = hashlib.sha256(b"saga console session\x1f" + secret).digest()

    @property
    def has_token(self) -> bool:
        """Whether anybody can log in."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Whether it is the console's token, compared in constant time."""
        if self._token is None:
            return False
        return hmac.compare_digest(_digest(given), _digest(self._token))

    def new(self, now: float, *, may_act: bool = False, author: str = "") -> Session:
        """A session that starts now."""
        return Session(secrets.token_urlsafe(18), int(now) + LIFETIME, may_act, author)

    def seal(self, session: Session) -> str:
        """A session as the value of a cookie."""
        fields = [session.nonce, session.until, session.may_act, session.author]
        body = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
        return f"{body}.{self._sign('session', body)}"

    def open(self, sealed: str | None, now: float) -> Session | None:
        """The session of a cookie; none if it is not ours, was changed, or is over."""
        body, _, signature = (sealed or "").partition(".")
        if not hmac.compare_digest(_digest(signature), _digest(self._sign("session", body))):
            return None
        nonce, until, may_act, author = json.loads(base64.urlsafe_b64decode(body))
        return Session(nonce, until, may_act, author) if now < until else None

    def csrf(self, session: Session) -> str:
        """What every form of this session carries."""
        return self._sign("csrf", session.nonce)

    def is_csrf(self, session: Session, given: str) -> bool:
        """Whether a form is of this session."""
        return hmac.compare_digest(_digest(given), _digest(self.csrf(session)))

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}\x1f{text}".encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    """Compared instead of the text: any text will do, and its length tells nothing."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
