"""The rules for Python, by the real ruff."""

from __future__ import annotations

import asyncio
import json
import subprocess

import pytest

from schemas.events.code_review import CoverageStatus, Severity
from services.llm.python_rules import Ruff, arguments
from services.llm.ruff_families import FAMILIES, IGNORED, NEEDS_WHOLE_FILE, family_of
from services.llm.tools import installed
from tests.unit.services.llm.given import opinion, rules_found, whole


def python(text: str, path: str = "shop/cart.py", **more: object) -> list[str]:
    return rules_found(whole(path, text, "python", **more))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("eval(input())\n", "ruff/S307"),
        ("import os\n", "ruff/F401"),
        ("print(undefined)\n", "ruff/F821"),
        ("def f(a=[]):\n    return a\n", "ruff/B006"),
        ("try:\n    x = 1\nexcept:\n    x = 2\n", "ruff/E722"),
        ("import subprocess\n\nsubprocess.run('ls ' + input(), shell=True)\n", "ruff/S602"),
        ("import asyncio\n\n\nasync def f():\n    asyncio.create_task(f())\n", "ruff/RUF006"),
        ("breakpoint()\n", "ruff/T100"),
    ],
)
def test_what_ruff_finds_is_a_finding(text: str, rule: str) -> None:
    assert rule in python(text)


def test_a_syntax_error_on_an_added_line_is_a_finding_and_leaves_the_file_partly_covered() -> None:
    said = opinion(whole("a.py", "def f(:\n    pass\n", "python"))
    assert {(f.rule_id, f.severity, f.category) for f in said.findings} == {
        ("analysis/syntax-error", Severity.HIGH, "syntax")
    }
    assert [(c.status, c.reason) for c in said.coverage] == [
        (CoverageStatus.PARTIAL, "it does not parse: only text rules")
    ]


def test_the_newest_syntax_is_no_error() -> None:
    assert python('type Pair[T] = tuple[T, T]\nx = f"{", ".join("ab")}"\n') == []


@pytest.mark.parametrize("silencer", ["# noqa", "# ruff: noqa", "# flake8: noqa", "# ruff: noqa: S307"])
def test_the_author_of_a_change_cannot_silence_a_rule(silencer: str) -> None:
    assert "ruff/S307" in python(f"{silencer}\neval('1')  {silencer}\n")


def test_what_a_package_imports_for_others_and_what_a_stub_names_early_is_no_finding() -> None:
    assert python("from .a import b\n", "pkg/__init__.py") == []
    assert python("def f() -> Later: ...\n\nclass Later: ...\n", "a.pyi") == []


def test_a_hostile_path_is_only_a_name() -> None:
    hostile = "../../etc/-x\n--fix.py"
    [found] = opinion(whole(hostile, "eval('1')\n", "python")).findings
    assert found.path == hostile


def test_each_finding_goes_to_its_own_file() -> None:
    files = [whole(f"m{n}.py", "\n" * n + "eval('1')\n", "python") for n in range(12)]
    found = {(f.path, f.start_line) for f in opinion(*files).findings if f.rule_id == "ruff/S307"}
    assert found == {(f"m{n}.py", n + 1) for n in range(12)}


def test_of_a_part_of_a_file_only_what_the_part_shows_is_told() -> None:
    text = "import os\n\nresult = eval(later)\n"
    assert python(text, partial="inline diff: only its hunks are known") == ["ruff/S307"]
    assert python("    return x\n  else:\n", partial="inline diff: only its hunks are known") == []


def test_the_families_are_known_to_this_ruff() -> None:
    rules = json.loads(subprocess.check_output([installed("ruff", "ruff"), "rule", "--all", "--output-format=json"]))
    codes = {rule["code"] for rule in rules if not rule["preview"] and "Removed" not in rule["status"]}
    for prefix in (*(family.prefix for family in FAMILIES), *IGNORED, *NEEDS_WHOLE_FILE):
        assert any(code.startswith(prefix) for code in codes), prefix


def test_the_longest_prefix_counts() -> None:
    assert [family.prefix for code in ("S307", "S999", "F401", "F402") if (family := family_of(code))] == [
        "S307",
        "S",
        "F401",
        "F",
    ]
    assert family_of("D100") is None


def test_ruff_is_isolated_from_the_repository() -> None:
    assert {"--isolated", "--no-cache", "--ignore-noqa"} < set(arguments())


def test_nothing_is_started_for_nothing() -> None:
    assert asyncio.run(Ruff().scan([])) == []
