"""The commands of `saga`: the framework's own, and those that the application adds."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from kafka_saga.app import Command, current_app, resolve


class Commands(TyperGroup):
    """Looks a command up here first, then in the application, whose modules are imported only for a command of it."""

    def list_commands(self, ctx: Any) -> list[str]:  # typer keeps its click, and so these types, to itself
        """The names of all commands, the application's last."""
        own = super().list_commands(ctx)
        return [*own, *(command.name for command in current_app().commands if command.name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; none if there is none."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        added = next((command for command in current_app().commands if command.name == cmd_name), None)
        return None if added is None else _made(added)


def _made(command: Command) -> Any:
    single = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    single.command(command.name, epilog=command.epilog)(resolve(command.function))
    return typer.main.get_command(single)
