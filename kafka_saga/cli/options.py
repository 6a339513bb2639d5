"""Commands whose options are the fields of a dataclass, so that several commands share what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from kafka_saga.inspection.commands.sending import os_user
from kafka_saga.wire.wording import line, prose

T = TypeVar("T")


def checked(rule: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """A callback of an option whose text a rule may refuse (ValueError)."""

    def check(given: str | None) -> str | None:
        try:
            return None if given is None else rule(given)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return check


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a command to the tracker is given."""

    reason: Annotated[
        str, typer.Option("--reason", "-m", metavar="TEXT", callback=checked(prose), help="Why; kept with the saga.")
    ] = ""
    by: Annotated[
        str | None,
        typer.Option(
            "--author", metavar="NAME", callback=checked(line), help="Who asks for it [default: this machine's user]."
        ),
    ] = None
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the tracker.")] = 10.0
    command_id: Annotated[
        str | None, typer.Option(metavar="TEXT", help="An id of your own: given twice, the command counts once.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False

    @property
    def author(self) -> str:
        """Who asks for it."""
        return self.by or os_user()


def taking(options: type[T]) -> Callable[[Callable[[typer.Context, T], None]], Callable[..., None]]:
    """Make a command of a function of the context and `options`: each field becomes an option, as typer reads it.

    A class's own fields come before those that it inherits.
    """

    def made(function: Callable[[typer.Context, T], None]) -> Callable[..., None]:
        def command(context: typer.Context, **given: Any) -> None:  # what typer has parsed by the fields' types
            function(context, options(**given))

        types = get_type_hints(options, include_extras=True)
        first = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        known = {field.name: field for field in fields(options)}  # type: ignore[arg-type]
        names = (name for one in options.__mro__ for name in vars(one).get("__annotations__", ()) if name in known)
        rest = (_parameter(known[name], types[name]) for name in names)
        command.__signature__ = Signature([first, *rest])  # type: ignore[attr-defined]
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return command

    return made


def _parameter(field: Field[object], annotation: object) -> Parameter:
    default = Parameter.empty if field.default is MISSING else field.default
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
