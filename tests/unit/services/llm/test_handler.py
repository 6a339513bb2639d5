"""The step llm as a whole, with the real rules, documents and blob store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kafka_saga.errors import TerminalError
from schemas.events.code_review import ChangeKind, CoverageStatus, FileCoverage, LlmCompleted, ReviewConfig, Verdict
from services.llm.handler import review, review_with
from services.llm.reviewer import FileToReview, Opinion, ReviewRequest
from tests.unit.services.llm.given import changed, event_and_context, finding, reviewed, whole

CLEAN = whole("shop/cart.py", "TOTAL = 1\n", "python")


def test_a_change_without_fault_is_clean(tmp_path: Path) -> None:
    deleted = FileToReview(changed("old.py", "python", (), change=ChangeKind.DELETED))
    outcome = reviewed(tmp_path, CLEAN, whole("README.md", "Hi.\n"), deleted)
    assert (outcome.verdict, outcome.findings, outcome.reviewer) == (Verdict.CLEAN, (), "offline-rules")
    assert [(c.path, c.status, c.reason) for c in outcome.coverage] == [
        ("shop/cart.py", CoverageStatus.REVIEWED, None),
        ("README.md", CoverageStatus.REVIEWED, None),
        ("old.py", CoverageStatus.SKIPPED, "deleted: nothing to review"),
    ]


def test_findings_of_all_languages_come_in_one_order(tmp_path: Path) -> None:
    outcome = reviewed(
        tmp_path,
        whole("z.py", "eval('1')\n", "python"),
        whole("a.js", "eval(a)\n", "javascript"),
        whole("m.rs", "fn f() { g().unwrap(); }\n", "rust"),
    )
    assert outcome.verdict is Verdict.FINDINGS
    assert [(f.path, f.rule_id) for f in outcome.findings] == [
        ("a.js", "javascript/no-eval"),
        ("m.rs", "rust/unwrap"),
        ("z.py", "ruff/S307"),
    ]


def test_the_same_change_gets_the_same_review(tmp_path: Path) -> None:
    file = whole("a.js", "eval(a)\nif (a == b) { debugger }\nconsole.log(a == c)\n", "javascript")
    assert reviewed(tmp_path, file) == reviewed(tmp_path, file)


def test_what_was_there_before_is_not_told(tmp_path: Path) -> None:
    text = "eval('1')\neval('2')\n"
    file = FileToReview(changed("a.py", "python", ((2, 2),)), text)
    assert [f.start_line for f in reviewed(tmp_path, file).findings] == [2]


def test_a_file_nobody_could_read_makes_the_review_incomplete(tmp_path: Path) -> None:
    outcome = reviewed(tmp_path, CLEAN, FileToReview(changed("logo.png", skipped="binary")))
    assert outcome.verdict is Verdict.INCOMPLETE
    assert outcome.coverage[1] == FileCoverage(path="logo.png", status=CoverageStatus.SKIPPED, reason="binary")


def test_an_inline_diff_is_covered_in_part(tmp_path: Path) -> None:
    outcome = reviewed(tmp_path, whole("a.py", "TOTAL = 1\n", "python", partial="inline diff"))
    assert outcome.verdict is Verdict.INCOMPLETE
    assert outcome.coverage[0].status is CoverageStatus.PARTIAL


def test_the_repository_turns_rules_off(tmp_path: Path) -> None:
    file = whole("a.py", "eval('1')\n", "python")
    assert reviewed(tmp_path, file, config=ReviewConfig(disabled_rules=("S307",))).verdict is Verdict.CLEAN


class Careless:
    """A reviewer that says too much and forgets files."""

    name = "careless"

    async def review(self, request: ReviewRequest) -> Opinion:
        said = (finding("shop/cart.py", 1, 99), finding("shop/cart.py", 50), finding("elsewhere.py", 1))
        return Opinion(said, (FileCoverage(path="elsewhere.py", status=CoverageStatus.REVIEWED),))


def test_a_careless_reviewer_does_no_harm(tmp_path: Path) -> None:
    outcome: LlmCompleted = asyncio.run(review_with(Careless(), *event_and_context(tmp_path, CLEAN)))
    assert [(f.path, f.start_line) for f in outcome.findings] == [("shop/cart.py", 1)]
    assert [(c.path, c.status) for c in outcome.coverage] == [("shop/cart.py", CoverageStatus.SKIPPED)]


def test_a_document_that_is_gone_is_said(tmp_path: Path) -> None:
    event, context = event_and_context(tmp_path, CLEAN)
    gone = event.model_copy(update={"analysis": event.analysis.model_copy(update={"sha256": "0" * 64})})
    with pytest.raises(TerminalError, match="is not in the store"):
        asyncio.run(review(gone, context))
