"""Asks a person before something that concerns more than one thing."""

from __future__ import annotations

import sys

import typer

from kafka_saga.errors import ChoreographyError


def make_sure(what: str, *, is_sure: bool) -> None:
    """Ask whether `what` is meant, unless that is sure. Raises ChoreographyError where nobody can answer."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise ChoreographyError(f"{what}: nobody can be asked here. Add --yes, or look first with --dry-run.")
    typer.confirm(f"{what}?", abort=True, err=True)
