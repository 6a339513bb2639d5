"""One changed file: what is reported of its two versions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.documents.code_review import LineRange
from schemas.events.code_review import AnalysisStatus, ChangeKind
from services.ast.files import Limits
from tests.unit.services.ast.given import PATHS, analysed, complexity, errors, symbols
from tests.unit.services.ast.samples import SAMPLES, Sample

BY_PATH = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)
BY_LANGUAGE = pytest.mark.parametrize("language", PATHS)


@BY_PATH
def test_symbols_and_lines_are_those_of_the_sample(sample: Sample) -> None:
    report = analysed(sample.path, sample.before, sample.after)
    assert report.summary.status is AnalysisStatus.PARSED
    assert report.summary.reason is None
    assert symbols(report) == sample.symbols


@BY_PATH
def test_complexity_is_that_of_the_sample(sample: Sample) -> None:
    report = analysed(sample.path, sample.before, sample.after)
    assert complexity(report) == sample.complexity
    assert report.summary.complexity_before == sum(before or 0 for before, _ in sample.complexity.values())
    assert report.summary.complexity_after == sum(after or 0 for _, after in sample.complexity.values())


@BY_PATH
@pytest.mark.parametrize(
    "reformat",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "\n\n" + text.replace("\n", "\n\n"),
    ],
    ids=["same", "crlf", "bom", "blank-lines"],
)
def test_layout_alone_changes_no_symbol(sample: Sample, reformat: object) -> None:
    assert callable(reformat)
    assert symbols(analysed(sample.path, sample.after, reformat(sample.after))) == []


@BY_PATH
def test_what_is_added_and_what_is_deleted_are_mirror_images(sample: Sample) -> None:
    added, deleted = analysed(sample.path, None, sample.after), analysed(sample.path, sample.after, None)
    assert symbols(added) == [line.replace("removed", "added") for line in symbols(deleted)]
    assert added.summary.symbols_added == deleted.summary.symbols_removed > 0
    assert added.summary.complexity_before is None
    assert deleted.summary.complexity_after is None
    assert added.summary.complexity_after == deleted.summary.complexity_before


def test_a_renamed_file_is_compared_with_its_old_content_in_its_old_language() -> None:
    report = analysed(
        "a.ts", "function f() { return 1; }", "function f() { return 1; }", change=ChangeKind.RENAMED, old_path="a.js"
    )
    assert symbols(report) == []
    assert (report.summary.complexity_before, report.summary.complexity_after) == (1, 1)


def test_syntax_errors_are_located_in_characters() -> None:
    report = analysed("a.py", None, "x = 1\n\tй = 'é' ) + 2\n")
    assert report.summary.status is AnalysisStatus.SYNTAX_ERRORS
    assert (2, 10, "unexpected `)`") in errors(report)


def test_a_missing_token_is_named() -> None:
    assert errors(analysed("A.java", None, "class A { void f() { int x = 1 } }")) == [(1, 31, "missing `;`")]


def test_errors_that_were_there_before_are_said_so() -> None:
    report = analysed("a.py", "def f(:\n", "def f(:\n  pass\n")
    assert report.summary.reason == "the version before has syntax errors too"


def test_errors_beyond_the_bound_are_counted() -> None:
    report = analysed("A.java", None, "class A { " + "int x = ; " * 60 + "}")
    assert len(report.analysis.syntax_errors) == 50
    assert report.summary.syntax_errors == 60
    assert report.summary.reason == "50 of 60 syntax errors listed"


def test_symbols_and_functions_beyond_the_bound_are_counted() -> None:
    before = "".join(f"def f{i}():\n    pass\n" for i in range(300))
    after = before.replace("def f299():", "def f299():\n    if x: pass")
    report = analysed("a.py", None, after)
    assert (len(report.analysis.symbols), report.summary.symbols_added) == (200, 300)
    assert report.summary.reason == "200 of 300 changed symbols listed; 200 of 300 functions listed"
    assert complexity(analysed("a.py", before, after))["f299"] == (1, 2)


def test_partial_content_reports_touched_symbols_and_no_errors() -> None:
    after = "\n\ndef f():\n    return 1\n\ndef g():\n    return (\n\n\nclass A:\n    def m(self): pass\n"
    added = (LineRange(start=4, end=4), LineRange(start=10, end=11))
    report = analysed("a.py", None, after, change=ChangeKind.MODIFIED, partial="inline diff", added=added)
    assert report.summary.status is AnalysisStatus.PARSED
    assert report.summary.reason == "partial content: inline diff"
    assert report.analysis.syntax_errors == ()
    assert report.analysis.complexity == ()
    assert "changed function f 3-4" in symbols(report)
    assert "added class A 10-11" in symbols(report)


def test_a_skipped_file_keeps_the_reason_of_the_validator() -> None:
    report = analysed("a.py", None, None, skipped="binary")
    assert (report.summary.status, report.summary.reason) == (AnalysisStatus.SKIPPED, "binary")


def test_a_file_without_known_content_is_skipped() -> None:
    assert analysed("a.py", None, None).summary.reason == "its content is not known"


@pytest.mark.parametrize(("path", "reason"), [("a.xyz", ".xyz"), ("Makefile", "files without a suffix")])
def test_a_language_without_grammar_is_unsupported(path: str, reason: str) -> None:
    report = analysed(path, None, "x")
    assert (report.summary.status, report.summary.reason) == (AnalysisStatus.UNSUPPORTED, f"no grammar for {reason}")


def test_a_file_that_takes_too_long_is_unparsable() -> None:
    report = analysed("a.py", None, "x = 1\n" * 1000, Limits(seconds=0, clock=lambda: 0.0))
    assert report.summary.status is AnalysisStatus.UNPARSABLE
    assert report.summary.reason == "parsing took too long and was given up"


def test_complexity_that_takes_too_long_is_left_out() -> None:
    # A clock that ticks at every look: the parser looks once in a hundred operations, lizard at every token.
    limits = Limits(seconds=400, clock=itertools.count().__next__)
    report = analysed("a.py", None, "print(1)\n" * 400, limits)
    assert report.summary.status is AnalysisStatus.PARSED
    assert report.summary.complexity_after is None
    assert report.summary.reason == "no complexity: lizard took too long and was given up"


@BY_LANGUAGE
@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\r\n", "\ufeff", "\t\t\n\t", "\0", "é", "\r", "\U0001d4b3 = 1", "\ufffd" * 9]
)
def test_next_to_nothing_is_no_trouble(language: str, text: str) -> None:
    report = analysed(PATHS[language], text, text)
    assert report.summary.status in {AnalysisStatus.PARSED, AnalysisStatus.SYNTAX_ERRORS}
    assert symbols(report) == []


@BY_LANGUAGE
@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "{" * 10_000,
        "[1," * 10_000,
        "class A {" * 2_000,
        "function f(){" * 3_000,
        "f(" * 9_000 + ")" * 9_000,
    ],
    ids=lambda text: text[:4],
)
def test_deep_nesting_is_no_trouble(language: str, text: str) -> None:
    report = analysed(PATHS[language], text + " ", text)
    assert report.summary.status in {AnalysisStatus.PARSED, AnalysisStatus.SYNTAX_ERRORS}
    assert len(report.analysis.syntax_errors) <= 50


def test_code_too_deep_for_lizard_is_still_parsed() -> None:
    report = analysed("a.js", None, "const x = " + "(" * 5000 + "1" + ")" * 5000 + ";")
    assert report.summary.status is AnalysisStatus.PARSED
    assert report.summary.complexity_after is None
    assert report.summary.reason == "no complexity: the code is nested too deep for lizard"


FRAGMENTS = st.lists(
    st.sampled_from(
        ["class ", "def f", "fn ", "func ", "impl ", "type ", "const ", "export ", "default ", "@a", "#[a]", "(", ")",
         "{", "}", "[", "]", "<", ">", ":", ";", ",", ".", "=>", "=", "'", '"', "`", "${", "/*", "*/", "//", "#", "\n",
         "    ", "\t", "x", "é", "1", "\r\n", "if ", "return ", "interface ", "enum ", "trait ", "for ", "package m\n"]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@BY_LANGUAGE
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.text(max_size=200) | FRAGMENTS, after=st.text(max_size=200) | FRAGMENTS)
@example(before="class A { class A { class A {", after="class A { class A {")
def test_no_text_fails_a_file(language: str, before: str, after: str) -> None:
    report = analysed(PATHS[language], before, after)
    assert report.summary.status in {AnalysisStatus.PARSED, AnalysisStatus.SYNTAX_ERRORS}
    assert report.analysis.status is report.summary.status
    last = max(before.count("\n"), after.count("\n")) + 1
    assert all(symbol.lines.start <= symbol.lines.end <= last for symbol in report.analysis.symbols)
    assert all(problem.line <= after.count("\n") + 1 for problem in report.analysis.syntax_errors)


@BY_LANGUAGE
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(max_size=200) | FRAGMENTS)
def test_identical_versions_have_no_changed_symbols(language: str, text: str) -> None:
    assert symbols(analysed(PATHS[language], text, text)) == []
