"""Why nobody looks at the content of a changed file."""

from __future__ import annotations

from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

from schemas.events.code_review import ReviewConfig
from services.validator.attributes import Attributes
from services.validator.paths import path_problem
from services.validator.sources.source import FileChange, FileKind

LFS = b"version https://git-lfs.github.com/spec/v1\n"
MAX_LFS_POINTER = 1024

_KINDS = {
    FileKind.SYMLINK: "symbolic link: never followed",
    FileKind.SUBMODULE: "submodule: its commits are in another repository",
    FileKind.FOLDER: "not a file",
}
_LOCK_FILES = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "pipfile.lock",
        "cargo.lock",
        "go.sum",
        "composer.lock",
        "gemfile.lock",
        "gradle.lockfile",
        "flake.lock",
    }
)
_MINIFIED = (".min.js", ".min.css", ".min.mjs", ".js.map", ".css.map")
_VENDORED = frozenset({"node_modules", "vendor", "bower_components"})


class PathRules:
    """What the kind and the path of a file decide, before anyone looks inside.

    Files that nobody writes by hand are skipped unless `include` asks for them by a pattern.
    """

    def __init__(self, config: ReviewConfig, attributes: Attributes) -> None:
        self._include = GitIgnoreSpec.from_lines(config.include) if config.include else None
        self._exclude = GitIgnoreSpec.from_lines(config.exclude)
        self._attributes = attributes

    def reason(self, change: FileChange) -> str | None:
        """Why the file is skipped, or none if its content is to be read."""
        paths = [change.path] if change.old_path is None else [change.path, change.old_path]
        unsafe = next(filter(None, map(path_problem, paths)), None)
        return unsafe or _KINDS.get(change.kind) or self._by_path(change.path.decode())

    def _by_path(self, path: str) -> str | None:
        if self._exclude.match_file(path):
            return "excluded by .saga.toml"
        if self._include is not None and not self._include.match_file(path):
            return "not included by .saga.toml"
        attributes = self._attributes.of(path)
        if attributes.get("diff") is False:
            return "binary: .gitattributes of the base says so"
        return None if self._include is not None else _written_by_tools(path, attributes)


def content_problem(content: bytes) -> str | None:
    """Why `content` is not text to review, or none if it is.

    Text is UTF-8: guessing an encoding would show reviewers lines that are not there. UTF-16 has zero bytes, so it is
    binary, here as in git.
    """
    if content.startswith(LFS) and len(content) <= MAX_LFS_POINTER:
        return "Git LFS pointer: the content is not in the repository"
    if b"\0" in content:
        return "binary"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte {error.start:,} is 0x{content[error.start]:02x}"
    return None


def _written_by_tools(path: str, attributes: dict[str, bool]) -> str | None:
    place = PurePosixPath(path.lower())
    if attributes.get("linguist-generated"):
        return "generated: .gitattributes of the base says so"
    if attributes.get("linguist-vendored", bool(_VENDORED.intersection(place.parts[:-1]))):
        return "vendored: written elsewhere"
    if place.name in _LOCK_FILES and "linguist-generated" not in attributes:
        return "lock file: written by a package tool"
    if place.name.endswith(_MINIFIED) and "linguist-generated" not in attributes:
        return "minified: written by a build tool"
    return None
