"""Reviews as HTML: lines with their numbers, findings at their lines, cuts that are said, hostile text as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.review import Review, ReviewFile
from services.app.drawing.diffs import diff
from services.app.drawing.patches import LONGEST_PATCH, Change, read, with_findings
from tests.unit.kafka_saga.console.drawing.given import PATCH, REVIEW, finding
from tests.unit.kafka_saga.console.drawing.reading import page


def of(file: ReviewFile) -> Review:
    return Review(available=True, files=(file,))


def test_a_review_full_of_hostile_text_is_harmless() -> None:
    assert "<script>alert(1)</script>⟨U+202E⟩" in page(diff(REVIEW)).text


def test_lines_have_the_numbers_of_both_sides() -> None:
    rows = [(row.change, row.old, row.new) for row in read(PATCH, 100).rows]
    assert rows[:5] == [
        (Change.HUNK, None, None),
        (Change.CONTEXT, 1, 1),
        (Change.REMOVED, 2, None),
        (Change.ADDED, None, 2),
        (Change.ADDED, None, 3),
    ]
    assert rows[-1][0] is Change.NOTE


def test_a_finding_stands_below_the_last_of_its_lines() -> None:
    rows, outside = with_findings(read(PATCH, 100).rows, [finding(2, "low", "here", end_line=3)])
    assert [row.new for row in rows if row.findings] == [3]
    assert outside == ()


def test_a_finding_at_a_line_that_is_not_shown_is_listed_with_its_file() -> None:
    text = page(diff(REVIEW)).text
    assert text.index("At lines that are not shown") < text.index("never called") < text.index("import subprocess")


def test_each_line_after_the_change_has_an_address() -> None:
    found = page(diff(REVIEW))
    assert {"src/app.py", "src/app.py:6"} <= set(found.values("id"))
    assert "#src/app.py:6" in found.values("href")


def test_only_findings_of_the_chosen_severities_are_shown() -> None:
    assert set(page(diff(REVIEW, ["high"])).values("data-severity")) == {"high"}
    assert set(page(diff(REVIEW)).values("data-severity")) == {"critical", "high", "medium", "low"}


def test_a_link_adds_a_severity_or_takes_it_away() -> None:
    hrefs = page(diff(REVIEW, ["high"])).values("href")
    assert {"?", "?severity=high&severity=low"} <= set(hrefs)


def test_a_severity_is_said_in_a_word_too() -> None:
    assert "critical" in page(diff(REVIEW)).texts


def test_coverage_is_said() -> None:
    assert "3 changed files: 1 reviewed, 1 reviewed in part, 1 skipped" in page(diff(REVIEW)).text


def test_a_huge_diff_is_cut_and_it_is_said() -> None:
    text = page(diff(REVIEW, limit=4)).text
    assert "This diff is cut after 4 lines: 13 lines of 1 file are not shown." in text
    assert "A shell runs what a person typed." in text


def test_a_file_of_very_many_lines_is_not_read_at_all() -> None:
    lines = LONGEST_PATCH + 1
    patch = f"@@ -0,0 +1,{lines} @@\n" + "+a\n" * lines
    assert "too many to be shown" in page(diff(of(ReviewFile(path="a", status="added", patch=patch)))).text


def test_a_diff_that_is_broken_is_said_to_be() -> None:
    broken = ReviewFile(path="a", status="modified", patch="@@ -1,5 +1,5 @@\n a\n")
    assert "This diff cannot be read" in page(diff(of(broken))).text


def test_a_line_of_the_file_that_looks_like_a_header_is_a_line() -> None:
    patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/other\n+++ b/other\n same\n"
    assert [row.change for row in read(patch, 10).rows] == [Change.HUNK, Change.REMOVED, Change.ADDED, Change.CONTEXT]


def test_a_change_of_the_end_of_a_line_can_be_seen() -> None:
    assert [row.text for row in read("@@ -1 +1 @@\n-a\r\n+a\n", 10).rows][1:] == ["a⟨CR⟩", "a"]


def test_a_very_long_line_is_cut() -> None:
    (_, row) = read(f"@@ -0,0 +1 @@\n+{'x' * 5000}\n", 10).rows
    assert row.text.endswith("… (4,000 more characters)")


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_for_a_diff_is_drawn_harmlessly(patch: str, path: str) -> None:
    page(diff(of(ReviewFile(path=path, status=path, patch=f"@@ -1,1 +1,1 @@\n{patch}"))))
