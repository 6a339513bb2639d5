"""`saga topology` draws a definition, or says what is wrong with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from kafka_saga.cli.topology import HAS_PROBLEMS, NOT_FOUND, topology
from kafka_saga.definition.diagram import as_mermaid, as_text
from topology.code_review import CODE_REVIEW

BROKEN = """
from dataclasses import replace
from topology.code_review import CODE_REVIEW
BROKEN = replace(CODE_REVIEW, version=0, run="once")
"""


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(topology)
    return CliRunner().invoke(app, arguments)


def test_code_review_is_drawn_by_default() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, as_text(CODE_REVIEW))


def test_it_is_drawn_as_mermaid() -> None:
    assert run("--format", "mermaid").stdout == as_mermaid(CODE_REVIEW)


def test_json_is_for_scripts() -> None:
    printed = json.loads(run("--format", "json", "--definition", "examples.order.definition:ORDER").stdout)
    assert [step["name"] for step in printed["steps"]] == ["payment", "stock", "shipping"]
    assert printed["ends"]["stock.missing"] == "failed"
    assert len(printed["content_hash"]) == 16


def test_problems_are_printed_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_review.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    result = run("--definition", "broken_review:BROKEN")
    assert (result.exit_code, result.stdout) == (HAS_PROBLEMS, "")
    assert result.stderr == ("code_review v0, version: the version is 0. Mend: count versions from 1.\n")


def test_a_definition_that_is_not_there_is_said_in_a_sentence() -> None:
    result = run("--definition", "nowhere_at_all:ORDER")
    assert (result.exit_code, result.stdout) == (NOT_FOUND, "")
    assert result.stderr.startswith("there is no module 'nowhere_at_all'. Run this from the folder that holds it")
