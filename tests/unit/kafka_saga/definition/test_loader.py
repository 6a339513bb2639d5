"""A definition is found by its name in Python, or the error says what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from kafka_saga.definition.loader import load_definition
from kafka_saga.errors import TopologyError
from topology.code_review import CODE_REVIEW


def test_a_definition_is_loaded_by_its_name() -> None:
    assert load_definition("topology.code_review:CODE_REVIEW") is CODE_REVIEW


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", "names no definition"),
        ("topology.code_review", "names no definition"),
        (":CODE_REVIEW", "names no definition"),
        ("topology..x:A", "names no definition"),
        ("topology.code_review:A.b", "names no definition"),
        ("no_such_place:ORDER", "there is no module 'no_such_place'"),
        ("topology.no_such:ORDER", r"there is no module 'topology\.no_such'"),
        ("topology.code_review:ORDER", "has no ORDER. The definitions in it: CODE_REVIEW"),
        ("topology.code_review:PATIENT", "is a Retry, not a Saga. The definitions in it: CODE_REVIEW"),
        ("kafka_saga.definition.durations:days", "is a function, not a Saga. The definitions in it: none"),
    ],
)
def test_what_is_missing_is_said(reference: str, said: str) -> None:
    with pytest.raises(TopologyError, match=said):
        load_definition(reference)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_dependency", "ModuleNotFoundError: No module named 'no_such_dependency'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
    ],
)
def test_a_module_that_fails_is_told_apart_from_none(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_definition.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TopologyError, match=f"'broken_definition' cannot be imported: {said}"):
        load_definition("broken_definition:ORDER")
