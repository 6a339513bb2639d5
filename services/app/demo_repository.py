"""The demo's repository: a small shop in Python, JavaScript and Go, and a change to it that deserves a review."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pygit2

NAME = "demo/shop"
_AUTHOR = pygit2.Signature("Ada Demo", "ada@example.com", 1_767_225_600, 0)
_MESSAGES = {"base": "A small shop", "head": "Search orders, pay them, and apply vouchers"}


def make_repository(folder: Path) -> Path:
    """A fresh git repository in `folder` with two commits, the same ones each time."""
    shutil.rmtree(folder, ignore_errors=True)
    repository = pygit2.init_repository(str(folder), initial_head="main")
    for stage, message in _MESSAGES.items():
        _commit(repository, stage, message)
    return folder


def sources(stage: str) -> dict[str, bytes]:
    """The files of the shop at a stage (`base`, `head`) by path; kept as `.txt`, since they are no code of ours."""
    root = Path(str(files("services.app"))) / "demo_shop" / stage
    return {str(path.relative_to(root)).removesuffix(".txt"): path.read_bytes() for path in sorted(root.rglob("*.txt"))}


def _commit(repository: pygit2.Repository, stage: str, message: str) -> None:
    for path, content in sources(stage).items():
        target = Path(repository.workdir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        repository.index.add(path)
    repository.index.write()
    parents = [] if repository.head_is_unborn else [repository.head.target]
    repository.create_commit("HEAD", _AUTHOR, _AUTHOR, message + "\n", repository.index.write_tree(), parents)
