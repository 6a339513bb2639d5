"""Pull requests for the five services: as plain JSON, from a repository made of two versions of a package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet

DIFF = """\
diff --git a/pay.py b/pay.py
--- a/pay.py
+++ b/pay.py
@@ -1,2 +1,4 @@
 def pay(amount):
-    return amount
+    eval(amount)
+    password = "hunter2"
+    return amount
"""
"""A small change with something to say about it."""

_AUTHOR = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


def services(fleet: Fleet, *names: str) -> None:
    """Start review services, and wait until they have their partitions."""
    for name in names:
        fleet.start(name, f"services.{name}", SAGA_REVIEW_DIR=str(fleet.home / "reviews"))
    eventually(
        lambda: all(fleet[name].said("assigned: partitions") for name in names),
        fleet.tend, 90, "the review services to be ready", fleet.dump,
    )  # fmt: skip


def inline(repository: str, number: int, text: str) -> bytes:
    """A pull request by inline diff."""
    return _request(repository, number, "a" * 40, "b" * 40, {"kind": "diff", "text": text})


@dataclass(frozen=True)
class Repository:
    """A git repository of two commits."""

    path: Path
    base: str
    head: str

    def request(self, repository: str, number: int, base: str | None = None) -> bytes:
        """A pull request from base to head."""
        return _request(repository, number, base or self.base, self.head, {"kind": "git", "path": str(self.path)})

    def changed_files(self) -> set[str]:
        """The paths that `git diff` names, renamed ones by their new name."""
        return set(self._diff("--name-only", "-M").splitlines())

    def added_lines(self) -> dict[str, set[int]]:
        """The added lines of each file, from the hunk headers of `git diff -U0`."""
        added: defaultdict[str, set[int]] = defaultdict(set)
        path = ""
        for line in self._diff("-U0", "-M", "--no-ext-diff").splitlines():
            if line.startswith("+++ "):
                path = line.removeprefix("+++ b/").rstrip("\t")
            elif hunk := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
                first, number = int(hunk[1]), int(hunk[2] or 1)
                added[path] |= set(range(first, first + number))
        return added

    def _diff(self, *options: str) -> str:
        return _git(self.path, "diff", *options, self.base, self.head)


def repository_of(folder: Path, before: Path, after: Path) -> Repository:
    """A repository whose two commits are two versions of a package."""
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    return Repository(folder, _commit(folder, before, "before"), _commit(folder, after, "after"))


def published(folder: Path, requirement: str) -> Path | None:
    """A published wheel, unpacked; none if no registry answers."""
    wheels = folder / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    found = subprocess.run(
        [*command, "--retries", "1", "--timeout", "10", "--dest", str(wheels), requirement],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    if found.returncode != 0:
        return None
    with zipfile.ZipFile(next(wheels.iterdir())) as wheel:
        wheel.extractall(folder / "tree", [n for n in wheel.namelist() if ".dist-info/" not in n and ".data/" not in n])
    return folder / "tree"


def installed(folder: Path, package: str, *, edited: bool) -> Path:
    """A copy of an installed package; an edited one has a changed, a renamed, a removed and an added file."""
    source = Path(__import__(package).__file__ or "").parent
    tree = folder / "tree"
    shutil.copytree(source, tree / package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    if edited:
        first, second, third, *_ = sorted((tree / package).glob("*.py"), key=lambda p: (-p.stat().st_size, p.name))
        lines = first.read_text(encoding="utf-8").splitlines(keepends=True)
        lines += ["\n", "\n", "def surprise(text, seen=[]):\n", "    return eval(text)\n"]
        first.write_text("".join(lines), encoding="utf-8")
        second.rename(second.with_name("renamed_since.py"))
        third.unlink()
        (tree / package / "added.py").write_text("import os\n\n\ndef f():\n    assert True == 1\n", encoding="utf-8")
    return tree


def _commit(folder: Path, tree: Path, message: str) -> str:
    for entry in folder.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(tree, folder, dirs_exist_ok=True)
    _git(folder, "add", "--all", "--force")
    _git(folder, *_AUTHOR, "commit", "--quiet", "--message", message)
    return _git(folder, "rev-parse", "HEAD").strip()


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "core.quotePath=false", "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _request(repository: str, number: int, base: str, head: str, source: dict[str, str]) -> bytes:
    fields = {"repository": repository, "number": number, "title": "a change", "base_sha": base, "head_sha": head}
    return json.dumps({**fields, "source": source}).encode()
