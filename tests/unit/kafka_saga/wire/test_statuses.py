"""Every status of a step has its row, and nothing else lists statuses for a purpose of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_saga import statuses
from kafka_saga.statuses import MEANINGS, Phase, StepStatus, meaning_of
from kafka_saga.tracker.core.state import SagaStatus

ROOT = Path(__file__).parents[3]
TABLE = Path(statuses.__file__)
NAMES = {status.name for status in StepStatus}
WORDS = {status.value for status in StepStatus} - {status.value for status in SagaStatus}
"""What is said of a step alone: `running` and others are said of sagas too."""


def test_every_status_has_a_row() -> None:
    assert set(MEANINGS) == set(StepStatus)
    assert all(meaning_of(status.value) is status.meaning for status in StepStatus)
    assert meaning_of("brand_new") is None


def test_a_step_whose_saga_does_not_go_on_waits_for_nothing() -> None:
    for status, meaning in MEANINGS.items():
        stopped = meaning.when_stopped or status
        assert stopped.meaning.when_stopped is None
        assert stopped.meaning.phase is not Phase.AHEAD
        assert not (stopped.is_open and not stopped.is_at_service), f"{status} is stopped, and waits"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("is_open", {"queued", "running", "retrying", "parked"}),
        ("is_undecided", {"queued", "running", "retrying", "parked", "failed"}),
        ("is_current", {"queued", "running", "retrying", "parked", "failed", "compensating"}),
        ("is_remaining", {"waiting", "queued", "running", "retrying", "parked"}),
        ("is_lasting", {"queued", "running", "retrying", "parked", "compensating"}),
        ("is_at_service", {"queued", "running", "compensating"}),
    ],
)
def test_what_is_asked_about_a_status(question: str, expected: set[str]) -> None:
    assert {status.value for status in StepStatus if getattr(status, question)} == expected


def test_only_the_table_lists_statuses() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("schemas", "topology", "services", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != TABLE
        for line in listings(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == [], "ask kafka_saga/statuses.py, or add a column to it"


@pytest.mark.parametrize(
    "text",
    [
        "A = frozenset({StepStatus.QUEUED, StepStatus.RUNNING})",
        "A = {StepStatus.DONE: 1, StepStatus.FAILED: 2}",
        "A = 'queued', 'parked'",
        "A = {'done': 'ok', 'retrying': 'warn'}",
        "A = {1: ('queued',), 2: ('parked',)}",
        "match a:\n case StepStatus.PARKED | StepStatus.SKIPPED: pass",
        "a = one is StepStatus.PARKED or one is StepStatus.SKIPPED",
    ],
)
def test_a_listing_is_found(text: str) -> None:
    assert list(listings(ast.parse(text)))


@pytest.mark.parametrize("text", ["A = {'running', 'failed'}", "a = StepStatus.DONE, 1", "a = one is StepStatus.DONE"])
def test_what_is_no_listing_is_not_found(text: str) -> None:
    assert not list(listings(ast.parse(text)))


def listings(tree: ast.AST) -> Iterator[int]:
    """The lines of collections, alternatives and conditions that name more than one status of a step."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict | ast.MatchOr | ast.BoolOp):
            inner = list(_inside(node))
            named = {one.attr for one in inner if isinstance(one, ast.Attribute) and _is_status(one)}
            words = {one.value for one in inner if isinstance(one, ast.Constant) and one.value in WORDS}
            if max(len(named), len(words)) > 1:
                yield node.lineno


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """What a node is made of, but for what is decided in it about one thing."""
    yield node
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.Lambda | ast.IfExp):
            yield from _inside(inner)


def _is_status(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "StepStatus" and node.attr in NAMES
