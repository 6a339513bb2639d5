"""What the folders promise: no modules that import one another in a circle, and names that one thing has alone."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = ("kafka_saga", "services", "schemas", "topology")


@cache
def parsed() -> Mapping[str, ast.Module]:
    """The syntax tree of every module, by its dotted name; a package is named as its folder."""
    files = [file for house in HOUSES for file in (ROOT / house).rglob("*.py") if "demo_shop" not in file.parts]
    return {dotted(file): ast.parse(file.read_text("utf-8")) for file in files}


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every name that is imported, wherever it says so: in functions and for type checkers, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom():
                raise AssertionError(f"line {node.lineno}: modules are imported by their full names")


def module_of(name: str, modules: Mapping[str, ast.Module]) -> str | None:
    """The module that an imported name is, or is in; `None` if it is none of ours."""
    return next((found for found in (name, name.rpartition(".")[0]) if found in modules), None)


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of a circle, the first once more at the end; none if there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = parsed()
    graph = {name: {module_of(one, modules) for one in imported(tree)} for name, tree in modules.items()}
    assert cycle({name: {one for one in found if one not in (None, name)} for name, found in graph.items()}) == []


@pytest.mark.parametrize(
    "text",
    ["import b", "from b import name", "def f():\n import b", "if TYPE_CHECKING:\n from b import name"],
)
def test_a_circle_is_found_however_it_is_written(text: str) -> None:
    modules = {"a": ast.parse(text), "b": ast.parse("from a import other")}
    graph = {name: {module_of(one, modules) or "" for one in imported(tree)} for name, tree in modules.items()}
    assert set(cycle(graph)) == {"a", "b"}


def test_no_class_name_has_three_owners() -> None:
    owners: dict[str, list[str]] = defaultdict(list)
    for name, tree in parsed().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                owners[node.name.lstrip("_")].append(name)
    assert {name: found for name, found in owners.items() if len(found) > 2} == {}


def test_no_two_folders_of_the_framework_share_a_name() -> None:
    folders = {file.parent for file in (ROOT / "kafka_saga").rglob("*.py")}
    names = [folder.name for folder in folders]
    assert {folder.name for folder in folders if names.count(folder.name) > 1} == set()
