"""What the page on architecture names is there: files, functions, sections, every folder of the framework."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
QUOTED = re.compile(r"`([^`\n]+)`")
NAMED_PATH = re.compile(r"([\w.-]+(?:/[\w.-]*)+)(?:: ([\w.]+))?")
"""A path from the root, which may be followed by a name in it: `kafka_saga/app.py: App`."""
ANSWER = re.compile(r"\| [^|]+\? \| `([^`]+)` \| `([^`]+)` \|")
REFERENCE = re.compile(r"docs/architecture\.md,? (\d(?:\.\d+)?)")


def named() -> Iterator[tuple[str, str | None]]:
    """The paths in backticks, each with the name behind it, and the answers' paths with theirs."""
    for quoted in QUOTED.findall(TEXT):
        if found := NAMED_PATH.fullmatch(quoted):
            yield found[1], found[2]
    yield from ANSWER.findall(TEXT)


def names_in(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    """What a module or a class defines, a method as `Class.method`."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield within + name
            case ast.ClassDef(name=name, body=inner):
                yield within + name
                yield from names_in(inner, f"{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield within + name


def references() -> Iterator[tuple[str, str]]:
    """The sections of the page that code and tests refer to, each with the file that does."""
    for folder in ("kafka_saga", "services", "topology", "schemas", "examples", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for section in REFERENCE.findall(path.read_text(encoding="utf-8")):
                yield section, str(path.relative_to(ROOT))


@pytest.mark.parametrize(("path", "name"), sorted(set(named()), key=str))
def test_what_the_page_names_is_there(path: str, name: str | None) -> None:
    assert (ROOT / path).exists()
    if name is not None:
        assert name in set(names_in(ast.parse((ROOT / path).read_text(encoding="utf-8")).body))


def test_ten_questions_are_answered() -> None:
    assert len(ANSWER.findall(TEXT)) >= 10


def test_every_folder_of_the_framework_is_named() -> None:
    folders = {path.parent.name for path in (ROOT / "kafka_saga").glob("*/__init__.py")}
    assert {folder for folder in folders if f"`kafka_saga/{folder}/`" not in TEXT} == set()


def test_sections_that_code_refers_to_are_there() -> None:
    sections = set(re.findall(r"^#+ (\d(?:\.\d+)?)\.? ", TEXT, re.MULTILINE))
    found = list(references())
    assert found
    assert [(section, where) for section, where in found if section not in sections] == []


def test_the_page_numbers_nine_invariants() -> None:
    section = TEXT.partition("## 7. ")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^(\d)\. ", section, re.MULTILINE)] == list(range(1, 10))
