"""The rules of ast-grep, by the real program."""

from __future__ import annotations

import asyncio
from importlib.resources import files as resources

import pytest
import yaml

from schemas.documents.code_review import FileAnalysis, SyntaxProblem
from schemas.events.code_review import AnalysisStatus, CoverageStatus, Severity
from services.llm.pattern_rules import GRAMMARS, AstGrep, Grammar, rule_text
from services.llm.reviewer import FileToReview
from tests.unit.services.llm.examples import EXAMPLES
from tests.unit.services.llm.given import opinion, whole

TEXTS = [rule_text(GRAMMARS[language]) for language in ("typescript", "go", "java", "rust")]
RULES = [rule for text in TEXTS for rule in yaml.safe_load_all(text)]


def scanned(grammar: Grammar, *texts: str) -> list[list[str]]:
    """The rules that match each text."""
    files: list[FileToReview] = [whole(f"a{grammar.suffix}", text) for text in texts]
    return [[match.rule.id for match in scan.matches] for scan in asyncio.run(AstGrep().scan(grammar, files))]


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_rule_finds_its_example_and_leaves_the_like_of_it_alone(language: str) -> None:
    grammar = GRAMMARS[language]
    rules = [rule_id for rule_id in EXAMPLES if rule_id.split("/")[0] in grammar.rules]
    bad = scanned(grammar, *(EXAMPLES[rule_id][0] for rule_id in rules))
    good = scanned(grammar, *(EXAMPLES[rule_id][1] for rule_id in rules))
    assert {rule_id: found for rule_id, found in zip(rules, bad, strict=True) if rule_id not in found} == {}
    assert {rule_id: found for rule_id, found in zip(rules, good, strict=True) if rule_id in found} == {}


def test_every_rule_has_an_example() -> None:
    assert sorted(rule["id"] for rule in RULES) == sorted(EXAMPLES)


@pytest.mark.parametrize("language", ["javascript", "typescript", "go", "java", "rust"])
def test_every_language_has_rules_for_security_and_more(language: str) -> None:
    own = [rule for rule in RULES if rule["id"].startswith(f"{language}/")]
    assert len(own) >= 6
    assert language == "typescript" or {"security"} < {rule["metadata"]["category"] for rule in own}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["id"]))
def test_no_rule_climbs_the_whole_tree_from_every_node(rule: dict[str, object]) -> None:
    # `stopBy: end` takes time quadratic in the depth of a file; a hostile file can be very deep
    assert "stopBy" not in str(rule["rule"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["id"]))
def test_every_rule_says_what_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert rule["message"].__str__().endswith(".")
    assert rule["metadata"]["suggestion"].endswith(".")
    assert rule["metadata"]["severity"] in set(Severity)


def test_the_author_of_a_change_cannot_silence_a_rule() -> None:
    text = "// ast-grep-ignore\neval(a)\n// ast-grep-ignore: javascript/no-eval\neval(a)\n"
    assert scanned(GRAMMARS["javascript"], text) == [["javascript/no-eval"] * 2]


def test_lines_are_counted_like_git_does() -> None:
    text = "// a\rb\u2028c\x0c\r\neval(a)\r\n"
    [scan] = asyncio.run(AstGrep().scan(GRAMMARS["javascript"], [whole("a.js", text)]))
    assert [(match.start, match.end) for match in scan.matches] == [(2, 2)]


def test_a_very_deep_file_does_no_harm() -> None:
    [found] = scanned(GRAMMARS["javascript"], "a(" * 20_000 + ")" * 20_000 + "\neval(a)\n")
    assert found == ["javascript/no-eval"]


def test_jsx_and_tsx_are_read_as_what_they_are() -> None:
    jsx = whole("a.jsx", "const a = <b onClick={() => eval(c)} />\n", "javascript")
    tsx = whole("a.tsx", "const a: any = <b onClick={() => eval(c)} />\n", "tsx")
    found = {(f.path, f.rule_id) for f in opinion(jsx, tsx).findings}
    assert found == {
        ("a.jsx", "javascript/no-eval"),
        ("a.tsx", "javascript/no-eval"),
        ("a.tsx", "typescript/explicit-any"),
    }


def test_syntax_errors_are_told_and_leave_the_file_partly_covered() -> None:
    problem = SyntaxProblem(line=2, column=1, message="no }")
    broken = FileAnalysis(path="a.go", status=AnalysisStatus.SYNTAX_ERRORS, syntax_errors=(problem,))
    said = opinion(whole("a.go", "package a\nfunc f() {\n", "go", analysis=broken))
    assert [(f.rule_id, f.start_line, f.category, f.severity) for f in said.findings] == [
        ("analysis/syntax-error", 2, "syntax", Severity.HIGH)
    ]
    assert [(c.status, c.reason) for c in said.coverage] == [
        (CoverageStatus.PARTIAL, "it has syntax errors: rules may have missed something")
    ]


def test_the_rules_are_shipped_with_the_package() -> None:
    assert {folder.name for folder in (resources("services.llm") / "rules").iterdir()} == {
        name for grammar in GRAMMARS.values() for name in grammar.rules
    }
