"""What reaches the terminal: consoles, JSON, questions, and text of others made harmless."""

from __future__ import annotations

import json
import re
import shlex
import sys
from datetime import UTC, datetime

import msgspec
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from kafka_saga.errors import ChoreographyError

# Control characters, separators, marks that reorder or hide text on a screen, and lone surrogates.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_REPLACED = "\ufffd"

# Shells take a # for a comment only where a word begins.
_PLAIN = re.compile(r"[\w@%+=:,./-][\w@%+=:,./#-]*", re.ASCII)


def out() -> Console:
    """Standard output: colours only on a terminal, and not if NO_COLOR is set."""
    return Console(highlight=False, emoji=False, markup=False)


def err() -> Console:
    """Standard error, for what is said besides the result."""
    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def harmless(text: str) -> str:
    """`text` on one line, with everything that could steer a terminal replaced."""
    return _HARMFUL.sub(_REPLACED, " ".join(text.split("\n")))


def safe(text: object, style: str = "") -> Text:
    """Text of others: never markup, never a control sequence."""
    return Text(harmless(str(text)), style=style)


def word(text: str) -> str:
    """`text` as one word of a command that somebody types."""
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)


def print_json(value: object) -> None:
    """One JSON value on stdout; ASCII only, so that nothing in it steers a terminal."""
    sys.stdout.write(json.dumps(msgspec.to_builtins(value, enc_hook=_plain), indent=1) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise NotImplementedError(f"{type(value).__name__} is no JSON")


def clock(at: int | None) -> str:
    """A point in time (milliseconds UTC) as local date and time."""
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def make_sure(what: str, *, is_sure: bool) -> None:
    """Ask whether `what` is meant, unless that is sure. Raises ChoreographyError where nobody can answer."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise ChoreographyError(f"{what}: nobody can be asked here. Add --yes, or look first with --dry-run.")
    typer.confirm(f"{what}?", abort=True, err=True)
