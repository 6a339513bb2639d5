"""Programs that fail, hang or are not there."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from kafka_saga.errors import RetryableError, TerminalError
from schemas.events.code_review import CoverageStatus, ReviewConfig
from services.llm.offline import OfflineRules
from services.llm.pattern_rules import GRAMMARS, AstGrep
from services.llm.python_rules import Ruff
from services.llm.reviewer import Opinion, ReviewRequest
from services.llm.tools import installed, private_folder, run_tool
from tests.unit.services.llm.given import PULL_REQUEST, whole

PYTHON = whole("a.py", "eval('1')\n<<<<<<< ours\n", "python")
GO = whole("a.go", "package a\n", "go")


def program(folder: Path, script: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def test_a_program_that_is_not_installed_is_said_in_one_sentence() -> None:
    with pytest.raises(TerminalError, match=r"^nonesuch is not installed, .* run pip install nonesuch-cli$"):
        installed("nonesuch", "nonesuch-cli")


def test_a_program_that_went_away_is_not_worth_a_retry(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="gone is not there"):
        asyncio.run(Ruff(program=tmp_path / "gone").scan([PYTHON]))


def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(RetryableError, match="text cannot be started"):
        asyncio.run(Ruff(program=tmp_path / "text").scan([PYTHON]))


def test_a_program_that_takes_too_long_is_stopped_and_tried_again(tmp_path: Path) -> None:
    slow = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    with pytest.raises(RetryableError, match=r"program did not end within 0\.5 seconds and was stopped"):
        asyncio.run(AstGrep(program=slow, timeout=0.5).scan(GRAMMARS["go"], [GO]))
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_cancelling_the_review_ends_the_program(tmp_path: Path) -> None:
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    slow = program(tmp_path, f"echo $$ > {fifo}; exec sleep 600")

    async def cancelled() -> int:
        task = asyncio.create_task(Ruff(program=slow).scan([PYTHON]))
        pid = int(await asyncio.to_thread(fifo.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pid

    with pytest.raises(ProcessLookupError):
        os.kill(asyncio.run(cancelled()), 0)


@pytest.mark.parametrize("script", ["echo oh no >&2; exit 2", "echo oh no >&2; echo half; exit 1"])
def test_a_program_that_fails_leaves_the_text_rules_and_says_so(tmp_path: Path, script: str) -> None:
    broken = program(tmp_path, script)
    reviewer = OfflineRules(Ruff(program=broken), AstGrep(program=broken))
    said: Opinion = asyncio.run(reviewer.review(ReviewRequest(PULL_REQUEST, ReviewConfig(), (PYTHON, GO))))
    assert [f.rule_id for f in said.findings] == ["text/merge-conflict"]
    assert {c.status for c in said.coverage} == {CoverageStatus.PARTIAL}
    for covered, name in zip(said.coverage, ("ruff", "ast-grep"), strict=True):
        assert (covered.reason or "").startswith(f"{name} failed (exit code")
        assert "oh no; only text rules" in (covered.reason or "")


def test_a_program_killed_from_outside_counts_as_failed(tmp_path: Path) -> None:
    run = asyncio.run(run_tool([program(tmp_path, "kill -9 $$")], tmp_path, 10))
    assert run.exit_code == -signal.SIGKILL


def test_the_program_sees_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_SECRET", "hunter2")
    run = asyncio.run(run_tool([installed("env", "coreutils")], tmp_path, 10))
    assert b"hunter2" not in run.stdout


def test_the_private_folder_is_ours_alone_and_goes_away() -> None:
    async def look() -> tuple[Path, int, str]:
        async with private_folder({"0/a.py": "x"}) as folder:
            return folder, folder.stat().st_mode & 0o777, (folder / "0/a.py").read_text()

    folder, mode, text = asyncio.run(look())
    assert (mode, text) == (0o700, "x")
    assert not folder.exists()
