"""Where `saga up` has the HTTP API and the console, and the token with which people act there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from kafka_saga.local.ports import HOST, is_free
from kafka_saga.local.up_record import up_folder

VIEWS_PORT = 8420
CONSOLE_PORT = 8430
_TRIED = 10


def places(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Settings for both: what is `given`, else the usual ports or the next free ones, and the token of this home."""
    return {**_views(given), **_console(home, given)}


def console_url(settings: Mapping[str, str]) -> str:
    """The console's address, as this machine reaches it."""
    host = settings.get("SAGA_CONSOLE_HOST") or HOST
    reached = HOST if host in {"0.0.0.0", "::"} else host  # noqa: S104  # told apart, not bound to
    name = f"[{reached}]" if ":" in reached else reached
    return f"http://{name}:{settings['SAGA_CONSOLE_PORT']}"


def login_url(home: Path, url: str) -> str:
    """The address that logs in: its token is behind #, which no server and no log sees."""
    token = _kept_token(home)
    return f"{url}/login#token={quote(token, safe='')}" if token else url


def _views(given: Mapping[str, str]) -> dict[str, str]:
    if {"SAGA_VIEWS_PORT", "SAGA_VIEWS_URL"} & given.keys():
        port = given.get("SAGA_VIEWS_PORT", str(VIEWS_PORT))
    else:
        port = str(_usual_or_next(VIEWS_PORT))
    url = given.get("SAGA_VIEWS_URL", f"http://{HOST}:{port}")
    return {"SAGA_VIEWS_PORT": port, "SAGA_VIEWS_URL": url}


def _console(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    port = given.get("SAGA_CONSOLE_PORT") or str(_usual_or_next(CONSOLE_PORT))
    token = given.get("SAGA_CONSOLE_TOKEN") or _kept_token(home) or secrets.token_urlsafe(24)
    _keep_token(home, token)
    return {"SAGA_CONSOLE_PORT": port, "SAGA_CONSOLE_TOKEN": token}


def _usual_or_next(usual: int) -> int:
    """The usual port, or the next that is free; the usual one, too, if none is: its owner then says so."""
    return next((port for port in range(usual, usual + _TRIED) if is_free(port)), usual)


def _kept_token(home: Path) -> str | None:
    try:
        return _token_file(home).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _keep_token(home: Path, token: str) -> None:
    """Only its owner may read it, from its first byte on."""
    file = _token_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(token + "\n")


def _token_file(home: Path) -> Path:
    return up_folder(home) / "console-token"
