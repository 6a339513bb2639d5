"""The program `saga`: what an error looks like, and every command's help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
NOBODY = "127.0.0.1:1"


def saga(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
    return subprocess.run(
        [sys.executable, "-m", "kafka_saga.cli.main", *arguments],
        cwd=ROOT,
        env={**kept, "SAGA_HOME": str(home), "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "command",
    [("ls",), ("show", "x"), ("events", "x", "--json"), ("topics",), ("dlq", "ls"), ("dlq", "show", "0/0"),
     ("review", str(ROOT), "HEAD~1..HEAD"), ("up", "--no-kafka"), ("why", "x"), ("incidents",), ("pauses",),
     ("pause", "x"),
     ("cancel", "--status", "running"), ("dlq", "redrive", "--all"), ("dlq", "continue", "ast")],
)  # fmt: skip
def test_without_a_broker_every_command_says_what_to_do(command: tuple[str, ...], tmp_path: Path) -> None:
    result = saga("--bootstrap", NOBODY, *command, home=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"saga: Kafka does not answer at {NOBODY}")
    assert "saga kafka start" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_environment_names_the_broker_too(tmp_path: Path) -> None:
    assert NOBODY in saga("ls", home=tmp_path, SAGA_BOOTSTRAP_SERVERS=NOBODY).stderr


def test_wrong_usage_is_2_and_help_is_0(tmp_path: Path) -> None:
    assert saga("show", home=tmp_path).returncode == 2
    assert saga("review", "--fail-on", "never-ever", home=tmp_path).returncode == 2
    assert saga("rewind", "x", home=tmp_path).returncode == 2
    assert saga("skip", "x", home=tmp_path).returncode == 2
    help_text = saga("review", "--help", home=tmp_path)
    assert help_text.returncode == 0
    assert "Exit codes: 0 nothing at or above --fail-on" in help_text.stdout


def test_a_command_without_a_saga_says_how_to_name_one(tmp_path: Path) -> None:
    result = saga("--bootstrap", NOBODY, "pause", home=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("saga: Which sagas? Give an ID, or --step, --definition, --key-prefix, --status")


def test_what_cannot_be_reviewed_is_one_sentence(tmp_path: Path) -> None:
    result = saga("review", str(tmp_path), home=tmp_path)
    assert result.returncode == 1
    assert "is in no git repository" in result.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m kafka_saga.cli.main topology | true"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert result.stderr == ""
    assert result.returncode == 0


def test_nothing_runs_is_said_with_exit_code_3(tmp_path: Path) -> None:
    result = saga("status", "--json", home=tmp_path)
    assert result.returncode == 3
    assert '"running": false' in result.stdout
    assert saga("down", home=tmp_path).stdout == "`saga up` was not running.\n"
