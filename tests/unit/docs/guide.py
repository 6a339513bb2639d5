"""Does in an empty folder what docs/building-a-saga.md says: writes its files, runs what is to be run in memory."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "building-a-saga.md"

_FENCED = re.compile(r"^```(\S+) ?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Kind(StrEnum):
    """What a block is: a file, a command, or what a command says."""

    FILE = "python"
    COMMAND = "sh"
    SAID = "text"


class Block(NamedTuple):
    """A fenced block; `about` is what stands behind its kind: the file, and how it changes."""

    kind: Kind
    about: str
    text: str


class Ran(NamedTuple):
    """A command of the guide after which the folder was as the guide had it then, and what it said."""

    command: str
    code: int
    said: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a guide, in order."""
    for kind, about, content in _FENCED.findall(text):
        yield Block(Kind(kind), about, content)


def write(folder: Path, block: Block) -> None:
    """Write a file, add to it (`+`), or put a function in the place of the one of that name (`= NAME`)."""
    match block.about.split():
        case [name]:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        case [name, "+"]:
            path = folder / name
            path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{block.text}", encoding="utf-8")
        case [name, "=", function]:
            path = folder / name
            path.write_text(replaced(path.read_text(encoding="utf-8"), function, block.text), encoding="utf-8")
        case _:
            raise ValueError(f"what is to be done with a block about {block.about!r}?")


def replaced(source: str, function: str, by: str) -> str:
    """The source with other lines in the place of a function. Raises StopIteration if it has none of that name."""
    tree = ast.parse(source).body
    old = next(one for one in tree if isinstance(one, ast.FunctionDef) and one.name == function)
    lines = source.splitlines(keepends=True)
    return "".join((*lines[: old.lineno - 1], by, *lines[old.end_lineno :]))


def run(folder: Path, command: str, *options: str) -> Ran:
    """Run a command of the guide with this Python, with these options; its output as it came.

    What is imported: the standard library, then what PYTHONPATH names in the guide, then what would be installed.
    """
    program, *arguments = command.split()
    path = os.pathsep.join((str(folder), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", *options, "-m", program, *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Ran(command, done.returncode, done.stdout)
