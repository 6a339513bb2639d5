"""`.gitattributes` of the base commit: what the repository says is binary, generated or vendored.

Taken from the base for the same reason as `.saga.toml`: a pull request must not hide its own files from review.
Patterns are matched as in .gitignore, so one that names a folder also covers what is in it. Only
the attributes that decide about a review are read, from at most 200 rules a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

NAME = ".gitattributes"

_UNSET = ("false", "0")
_READ = frozenset({"diff", "linguist-generated", "linguist-vendored"})
_MAX_RULES = 200


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: GitIgnoreSpec
    values: dict[str, bool]


@dataclass(slots=True)
class Attributes:
    """Attributes by path. `read` gives the text of a file of the base commit, or none."""

    read: Callable[[str], str | None]
    _rules: dict[str, tuple[_Rule, ...]] = field(default_factory=dict)

    def of(self, path: str) -> dict[str, bool]:
        """What is set (true) or unset (false) for `path`; the last rule of the deepest folder wins, as in git."""
        values: dict[str, bool] = {}
        for folder in reversed(PurePosixPath(path).parents):
            relative = str(PurePosixPath(path).relative_to(folder))
            for rule in self._of_folder(folder):
                if rule.pattern.match_file(relative):
                    values |= rule.values
        return values

    def _of_folder(self, folder: PurePosixPath) -> tuple[_Rule, ...]:
        name = str(folder / NAME)
        if name not in self._rules:
            self._rules[name] = tuple(islice(_parse(self.read(name) or ""), _MAX_RULES))
        return self._rules[name]


def _parse(text: str) -> Iterator[_Rule]:
    for line in text.splitlines():
        pattern, *words = line.split() or [""]
        values = _values(words)
        if not values or pattern.startswith(("#", "!", "[attr]", '"')):
            continue
        try:
            yield _Rule(GitIgnoreSpec.from_lines([pattern]), values)
        except ValueError:
            continue


def _values(words: list[str]) -> dict[str, bool]:
    values: dict[str, bool] = {}
    for word in words:
        name, _, value = word.lstrip("-!").partition("=")
        if name == "binary":
            values["diff"] = False
        elif name in _READ:
            values[name] = not word.startswith(("-", "!")) and value not in _UNSET
    return values
