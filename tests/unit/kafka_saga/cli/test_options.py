"""The fields of a dataclass become a command's options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from kafka_saga.cli.options import Manner, taking
from kafka_saga.inspection.commands.sending import os_user


@dataclass(frozen=True, kw_only=True)
class Greeting(Manner):
    """A command of the test's own."""

    to: Annotated[str, typer.Option("--to", help="Whom.")]
    names: Annotated[list[str] | None, typer.Argument(help="More.")] = None


def run(*arguments: str) -> tuple[int, list[Greeting], str]:
    seen: list[Greeting] = []

    @taking(Greeting)
    def greet(context: typer.Context, options: Greeting) -> None:
        """Say hello."""
        seen.append(options)

    app = typer.Typer()
    app.command()(greet)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, seen, result.output


def test_what_is_typed_arrives_as_a_value() -> None:
    code, (seen,), _ = run("a", "b", "--to", "you", "-m", "why", "--wait", "2")
    assert code == 0
    assert seen == Greeting(to="you", names=["a", "b"], reason="why", wait=2.0)
    assert (seen.author, Greeting(to="x", by="ada").author) == (os_user(), "ada")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-m", "a\x1b[31m"), "U+001B"),
        (("-m", "\u202ea"), "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        (("--author", "a\nb"), "U+000A"),
        (("--author", " "), "is empty"),
    ],
)
def test_text_that_is_not_seen_is_a_mistake_of_usage(options: tuple[str, ...], said: str) -> None:
    code, seen, output = run("a", "--to", "you", *options)
    assert (code, seen) == (2, [])
    assert said in " ".join(output.replace("│", " ").split())


def test_a_field_without_a_default_has_to_be_given() -> None:
    code, seen, said = run("a")
    assert (code, seen) == (2, [])
    assert "--to" in said


def test_help_lists_own_options_before_those_that_are_shared() -> None:
    _, _, said = run("--help")
    assert "Say hello." in said
    assert said.index("--to") < said.index("--reason")


def test_an_author_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert os_user() == "unknown"
