"""Rules on what parsing has shown."""

from __future__ import annotations

import pytest

from schemas.documents.code_review import FileAnalysis, FunctionComplexity, LineRange
from schemas.events.code_review import AnalysisStatus
from services.llm.analysis_rules import analysis_matches
from tests.unit.services.llm.given import opinion, whole


def analysed(before: int | None, after: int | None, lines: int = 10) -> FileAnalysis:
    function = FunctionComplexity(name="Cart.total", before=before, after=after, lines=LineRange(start=1, end=lines))
    return FileAnalysis(path="a.go", status=AnalysisStatus.PARSED, complexity=(function,))


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        (10, 16, ["analysis/complex-function"]),
        (None, 16, ["analysis/complex-function"]),
        (10, 15, []),
        (20, 18, []),
        (20, None, []),
    ],
)
def test_a_function_that_grows_too_complex_is_told(before: int | None, after: int | None, rules: list[str]) -> None:
    file = whole("a.go", "package a\n" * 10, "go", analysis=analysed(before, after))
    assert [match.rule.id for match in analysis_matches(file, syntax=True)] == rules


def test_the_finding_stands_at_the_added_lines_of_the_function() -> None:
    file = whole("a.go", "package a\n" * 10, "go", analysis=analysed(9, 21), added=(LineRange(start=4, end=5),))
    [found] = opinion(file).findings
    assert (found.start_line, found.end_line) == (4, 10)
    assert "grew from 9 to 21" in found.message


def test_a_long_function_is_told_if_most_of_it_is_new() -> None:
    text = "package a\n" * 120
    new = whole("a.go", text, "go", analysis=analysed(1, 1, lines=120))
    old = whole("a.go", text, "go", analysis=analysed(1, 1, lines=120), added=(LineRange(start=4, end=5),))
    assert [match.rule.id for match in analysis_matches(new, syntax=True)] == ["analysis/long-function"]
    assert list(analysis_matches(old, syntax=True)) == []


def test_of_a_part_of_a_file_nothing_is_told() -> None:
    file = whole("a.go", "package a\n" * 10, "go", analysis=analysed(10, 30), partial="inline diff")
    assert list(analysis_matches(file, syntax=True)) == []
