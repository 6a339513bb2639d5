"""What every review obeys, whoever wrote it."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.code_review import ChangedFile, ChangeSet
from schemas.events.code_review import (
    ChangeKind,
    CoverageStatus,
    FileCoverage,
    Finding,
    ReviewConfig,
    Severity,
    Verdict,
)
from services.llm.judgement import (
    MAX_EVIDENCE,
    MAX_SENTENCE,
    UNREPORTED,
    anchored,
    bounded,
    coverage,
    disabled,
    kept,
    ordered,
    rank,
    verdict,
)
from services.llm.reviewer import FileToReview
from tests.unit.services.llm.given import changed, finding

PATHS = st.sampled_from(["a.py", "b.go", "c/d.ts"])
LINES = st.integers(1, 60)
RANGES = st.tuples(LINES, st.integers(0, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))
REPORTS = st.lists(
    st.builds(
        FileCoverage,
        path=st.one_of(PATHS, st.just("unknown")),
        status=st.sampled_from(CoverageStatus),
        reason=st.just("r"),
    )
)
SKIPS = st.sampled_from([None, "binary", "excluded by .saga.toml"])


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    line, end = draw(RANGES)
    rule, severity = draw(st.sampled_from(["r/one", "r/two"])), draw(st.sampled_from(Severity))
    return finding(draw(st.one_of(PATHS, st.just("unknown"))), line, end, rule, severity=severity)


@st.composite
def change_sets(draw: st.DrawFn) -> ChangeSet:
    files: list[ChangedFile] = []
    for path in draw(st.lists(PATHS, max_size=4)):
        ranges = tuple(draw(st.lists(RANGES, max_size=4)))
        files.append(changed(path, added=ranges, change=draw(st.sampled_from(ChangeKind)), skipped=draw(SKIPS)))
    return ChangeSet(files=tuple(files))


@given(st.lists(findings()), change_sets())
def test_findings_are_only_on_added_lines(said: list[Finding], changes: ChangeSet) -> None:
    added: defaultdict[str, set[int]] = defaultdict(set)
    for file in changes.files:
        added[file.path] |= FileToReview(file).added
    for found in kept(said, changes, ReviewConfig()):
        assert found.start_line in added[found.path]
        assert found.start_line <= found.end_line


@given(st.lists(findings()), change_sets())
def test_findings_are_in_order_and_said_once_whatever_order_they_come_in(
    said: list[Finding], changes: ChangeSet
) -> None:
    result = kept(said, changes, ReviewConfig())
    places = [(f.path, f.start_line, f.end_line, f.rule_id) for f in result]
    assert result == ordered(result)
    assert len(set(places)) == len(places)
    assert places == [(f.path, f.start_line, f.end_line, f.rule_id) for f in kept(said[::-1], changes, ReviewConfig())]


@given(change_sets(), REPORTS)
def test_coverage_names_every_file_exactly_once(changes: ChangeSet, reports: list[FileCoverage]) -> None:
    named = [covered.path for covered in coverage(changes, reports)]
    assert named == list(dict.fromkeys(file.path for file in changes.files))


@given(change_sets(), REPORTS)
def test_without_coverage_there_is_no_clean_verdict(changes: ChangeSet, reports: list[FileCoverage]) -> None:
    covered = coverage(changes, reports)
    gaps = [c for c in covered if c.status is not CoverageStatus.REVIEWED]
    harmless = [c for c in gaps if (c.reason or "").endswith(("nothing to review", "by .saga.toml"))]
    if verdict([], changes, covered) is Verdict.CLEAN:
        assert gaps == harmless


def test_a_finding_that_begins_before_the_added_lines_moves_to_the_first_of_them() -> None:
    moved = anchored(finding(line=2, end=9), changed("a.py", added=((5, 6), (8, 8))).added)
    assert moved is not None
    assert (moved.start_line, moved.end_line) == (5, 9)


def test_a_finding_between_added_lines_is_dropped() -> None:
    assert anchored(finding(line=7), changed("a.py", added=((5, 6), (8, 8))).added) is None


@pytest.mark.parametrize("pattern", ["javascript/no-eval", "no-eval", "javascript/*", "no-*"])
def test_a_rule_is_disabled_by_its_id_its_last_part_or_a_pattern(pattern: str) -> None:
    assert disabled("javascript/no-eval", [pattern])
    assert not disabled("go/panic", [pattern])


def test_the_repository_decides_which_severities_and_rules_it_hears_of() -> None:
    said = [finding(rule="r/low", severity=Severity.LOW), finding(rule="r/off"), finding(rule="r/on")]
    config = ReviewConfig(min_severity=Severity.MEDIUM, disabled_rules=("off",))
    assert [f.rule_id for f in kept(said, ChangeSet(files=(changed("a.py"),)), config)] == ["r/on"]


def test_a_talkative_reviewer_is_cut_short() -> None:
    said = finding(message="m" * 9999, suggestion="s" * 9999, evidence="e" * 9999)
    [cut] = kept([said], ChangeSet(files=(changed("a.py"),)), ReviewConfig())
    assert (len(cut.message), len(cut.suggestion or ""), len(cut.evidence)) == (
        MAX_SENTENCE,
        MAX_SENTENCE,
        MAX_EVIDENCE,
    )


def test_severities_ascend() -> None:
    assert sorted(Severity, key=rank) == [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]


def test_beyond_the_bound_the_least_severe_are_dropped_and_counted() -> None:
    said = [finding(line=n, severity=Severity.HIGH if n % 2 else Severity.LOW) for n in range(1, 2001)]
    fitting, dropped = bounded(said)
    assert dropped == 1000
    assert {f.severity for f in fitting} == {Severity.HIGH}
    assert fitting == ordered(fitting)


def test_an_event_never_outgrows_its_record() -> None:
    said = [finding(line=n, evidence="e" * 300, message="m" * 500, suggestion="s" * 500) for n in range(1, 1001)]
    fitting, dropped = bounded(said)
    assert sum(len(f.model_dump_json()) for f in fitting) <= 512 * 1024
    assert dropped == 1000 - len(fitting) > 0


def test_a_file_nobody_reported_on_is_skipped_and_makes_the_review_incomplete() -> None:
    changes = ChangeSet(files=(changed("a.py"),))
    covered = coverage(changes, [])
    assert [(c.status, c.reason) for c in covered] == [(CoverageStatus.SKIPPED, UNREPORTED)]
    assert verdict([], changes, covered) is Verdict.INCOMPLETE


def test_of_two_reports_on_a_file_the_less_flattering_counts() -> None:
    reports = [FileCoverage(path="a.py", status=status) for status in (CoverageStatus.PARTIAL, CoverageStatus.REVIEWED)]
    assert coverage(ChangeSet(files=(changed("a.py"),)), reports)[0].status is CoverageStatus.PARTIAL


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((changed("a.py"),), Verdict.CLEAN),
        ((changed("a.py"), changed("gone", change=ChangeKind.DELETED)), Verdict.CLEAN),
        ((changed("gone", change=ChangeKind.DELETED),), Verdict.CLEAN),
        ((changed("a.py"), changed("v.min.js", skipped="excluded by .saga.toml")), Verdict.CLEAN),
        ((changed("a.py"), changed("doc.py", skipped="not included by .saga.toml")), Verdict.CLEAN),
        ((changed("v.min.js", skipped="excluded by .saga.toml"),), Verdict.INCOMPLETE),
        ((changed("a.py"), changed("b.png", skipped="binary")), Verdict.INCOMPLETE),
    ],
)
def test_the_verdict_without_findings(files: tuple[ChangedFile, ...], expected: Verdict) -> None:
    changes = ChangeSet(files=files)
    covered = coverage(changes, [FileCoverage(path="a.py", status=CoverageStatus.REVIEWED)])
    assert verdict([], changes, covered) is expected


def test_a_finding_makes_the_verdict_findings() -> None:
    assert verdict([finding()], ChangeSet(files=()), ()) is Verdict.FINDINGS
