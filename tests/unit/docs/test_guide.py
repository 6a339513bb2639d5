"""The guide, followed word by word in an empty folder: every test in it is green, and says what the guide says."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

from tests.unit.docs.guide import GUIDE, Block, Kind, Ran, blocks, replaced, run, write

BLOCKS = tuple(blocks(GUIDE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Ran, list[str]]]]:
    """The folder at the end of the guide; the commands that were run on the way, with what the guide has them say.

    The reader has other packages in it, named as folders of this repository are, which nothing of the guide imports.
    """
    folder = tmp_path_factory.mktemp("guide")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    for name in ("services", "schemas", "topology"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise AssertionError('the reader has {name} too')\n")
    ran: list[tuple[Ran, list[str]]] = []
    for block in BLOCKS:
        match block:
            case Block(Kind.FILE):
                write(folder, block)
            case Block(Kind.COMMAND, "run"):
                ran += [(run(folder, line), []) for line in block.text.splitlines()]
            case Block(Kind.SAID):
                ran[-1][1].extend(block.text.splitlines())
    return folder, ran


def test_every_test_of_the_guide_is_green_when_the_reader_runs_it(
    followed: tuple[Path, list[tuple[Ran, list[str]]]],
) -> None:
    _, ran = followed

    assert len(ran) == 5
    assert [one.said for one, _ in ran if one.code != 0] == []


def test_the_reader_sees_what_the_guide_shows(followed: tuple[Path, list[tuple[Ran, list[str]]]]) -> None:
    _, ran = followed
    shown = [(line, one.said) for one, lines in ran for line in lines]

    assert len(shown) == 5
    assert [(line, said) for line, said in shown if line not in said] == []


def test_the_services_of_the_guide_fit_its_definition(followed: tuple[Path, list[tuple[Ran, list[str]]]]) -> None:
    folder, _ = followed
    said = run(folder, "kafka_saga.cli.main topology --definition shop.definition:ORDER")
    script = "from kafka_saga import Service; Service.run = lambda self: print(self.name); "
    script += "import shop.__main__ as main; [main.main(step) for step in main.HANDLERS]"
    (folder / "start_all.py").write_text(script)
    started = run(folder, "start_all", "-W", "error")

    assert said.code == 0
    assert "deadline 1 h" in said.said
    assert started.said.split() == ["shop-payment", "shop-stock", "shop-shipping"]


def test_nothing_is_imported_that_is_not_public() -> None:
    imports = re.findall(r"^(?:from|import) (kafka_saga[\w.]*)", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(imports) == {"kafka_saga", "kafka_saga.testing"}


def test_every_file_of_the_guide_is_named_above_it() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    files = [block.about.split()[0] for block in BLOCKS if block.kind is Kind.FILE]
    named = {name for name, _ in groupby(files)}

    assert "shop/__main__.py" in named
    assert [name for name in named if f"`{name}`" not in text] == []


def test_a_function_is_replaced_in_its_place() -> None:
    assert replaced("a = 1\ndef f():\n    return 1\nb = 2\n", "f", "c = 3\n") == "a = 1\nc = 3\nb = 2\n"
