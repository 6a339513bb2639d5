"""The languages the service can read: grammar and symbol query by the validator's language key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Query

from services.ast import queries

SUFFIXES = {
    ".py": "python", ".pyi": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".go": "go", ".java": "java", ".rs": "rust",
}  # fmt: skip
"""Suffix to language key; asked only for the old path of a renamed file, the validator has said it of the new one."""

_SOURCES = {
    "python": (tree_sitter_python.language, queries.PYTHON),
    "javascript": (tree_sitter_javascript.language, queries.JAVASCRIPT),
    "typescript": (tree_sitter_typescript.language_typescript, queries.TYPESCRIPT),
    "tsx": (tree_sitter_typescript.language_tsx, queries.TYPESCRIPT),
    "go": (tree_sitter_go.language, queries.GO),
    "java": (tree_sitter_java.language, queries.JAVA),
    "rust": (tree_sitter_rust.language, queries.RUST),
}

LANGUAGES = frozenset(_SOURCES)
"""The language keys that have a grammar."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language as tree-sitter sees it."""

    key: str
    language: Language
    symbols: Query
    errors: Query


@cache
def grammar(key: str) -> Grammar:
    """The grammar of a language key of `LANGUAGES`, compiled once a process."""
    load, symbols = _SOURCES[key]
    language = Language(load())
    return Grammar(key, language, Query(language, symbols), Query(language, "[(ERROR) (MISSING)] @problem"))


def language_of(path: str) -> str | None:
    """The language key that the suffix of `path` stands for, if any."""
    return SUFFIXES.get(PurePosixPath(path).suffix.lower())
