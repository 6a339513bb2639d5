"""`saga topology` draws a definition, or says what is wrong with it."""

from __future__ import annotations

import json
import subprocess
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
    monkeypatch.syspath_prepend(tmp_path)
    result = run("--definition", "broken_review:BROKEN")
    assert (result.exit_code, result.stdout) == (HAS_PROBLEMS, "")
    assert result.stderr == ("code_review v0, version: the version is 0. Mend: count versions from 1.\n")


def test_nothing_is_imported_from_the_folder_that_a_command_runs_in(tmp_path: Path) -> None:
    for name in ("broken_review", "services", "schemas", "topology", "typer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the folder has run')")
    saga = Path(sys.executable).with_name("saga")
    ended = subprocess.run(
        [saga, "topology", "--definition", "broken_review:BROKEN"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (NOT_FOUND, "")
    assert "there is no module 'broken_review'" in ended.stderr


def test_a_definition_that_is_not_there_is_said_in_a_sentence() -> None:
    result = run("--definition", "nowhere_at_all:ORDER")
    assert (result.exit_code, result.stdout) == (NOT_FOUND, "")
    assert result.stderr.startswith("there is no module 'nowhere_at_all'. Install its package, or set PYTHONPATH")
