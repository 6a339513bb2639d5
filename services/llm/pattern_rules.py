"""Rules for JavaScript, TypeScript, Go, Java and Rust, by the ast-grep program and our YAML files in `rules/`.

The program, not the in-process binding: a file made to be slow can be stopped with its process, holds no
interpreter lock meanwhile, and a crash in native code ends a child and not the service.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ValidationError

from schemas.events.code_review import AnalysisStatus, Severity
from services.llm.matches import FileScan, Match, Rule, failed_scans
from services.llm.reviewer import FileToReview
from services.llm.tools import ToolRun, engine_text, installed, private_folder, run_tool

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language as ast-grep knows it: its name there, a file's suffix, and the folders of rules that apply."""

    name: str
    suffix: str
    rules: tuple[str, ...]


GRAMMARS = {
    "javascript": Grammar("JavaScript", ".js", ("javascript",)),
    "typescript": Grammar("TypeScript", ".ts", ("javascript", "typescript")),
    "tsx": Grammar("Tsx", ".tsx", ("javascript", "typescript")),
    "go": Grammar("Go", ".go", ("go",)),
    "java": Grammar("Java", ".java", ("java",)),
    "rust": Grammar("Rust", ".rs", ("rust",)),
}


class _Metadata(BaseModel):
    severity: Severity
    category: str
    confidence: float
    suggestion: str | None = None
    secret: bool = False


class _Place(BaseModel):
    line: int


class _Range(BaseModel):
    start: _Place
    end: _Place


class _Hit(BaseModel):
    file: str
    range: _Range
    ruleId: str  # noqa: N815 - ast-grep's name
    message: str
    metadata: _Metadata


def grammar_of(file: FileToReview) -> Grammar | None:
    """The grammar of `file`; none if we have no rules for its language."""
    suffix = PurePosixPath(file.path).suffix
    language = "tsx" if suffix == ".tsx" else file.changed.language
    return GRAMMARS.get("javascript" if language == "jsx" else language or "")


@dataclass(frozen=True, slots=True)
class AstGrep:
    """ast-grep on a private copy of the files; `program` and `timeout` (seconds) are given in tests."""

    program: Path | None = None
    timeout: float = TIMEOUT

    async def scan(self, grammar: Grammar, files: Sequence[FileToReview]) -> list[FileScan]:
        """One scan per file, in order. If ast-grep fails, each scan says so.

        Raises TerminalError if ast-grep is not installed, RetryableError if it takes too long.
        """
        if not files:
            return []
        program = self.program or installed("ast-grep", "ast-grep-cli")
        copies = {f"source/{i}{grammar.suffix}": _disarmed(file.text or "") for i, file in enumerate(files)}
        own = {"rules.yml": rule_text(grammar), "sgconfig.yml": "ruleDirs: []\n"}
        async with private_folder(copies | own) as folder:
            run = await run_tool((program, *ARGUMENTS), folder, self.timeout)
        hits = _hits(run)
        if hits is None:
            return failed_scans("ast-grep", run.exit_code, run.stderr, len(files))
        by_file: defaultdict[int, list[_Hit]] = defaultdict(list)
        for hit in hits:
            by_file[_index(hit)].append(hit)
        return [_scan(file, by_file[i]) for i, file in enumerate(files)]


ARGUMENTS = ("scan", "--rule=rules.yml", "--json=stream", "--include-metadata", "--no-ignore=hidden", "source")


@cache
def rule_text(grammar: Grammar) -> str:
    """All rules of `grammar` as one YAML stream; JavaScript's rules serve TypeScript too, under its name."""
    folder = resources("services.llm") / "rules"
    sources = sorted((f for name in grammar.rules for f in (folder / name).iterdir()), key=lambda f: f.name)
    text = "\n---\n".join(source.read_text(encoding="utf-8") for source in sources)
    return re.sub(r"(?m)^language: \w+$", f"language: {grammar.name}", text)


def _disarmed(text: str) -> str:
    """`text` without ast-grep's suppression comments: the author of a change cannot silence its review."""
    return engine_text(text).replace("ast-grep-ignore", "ast-grep_ignore")


def _hits(run: ToolRun) -> list[_Hit] | None:
    if run.exit_code not in {0, 1}:
        return None
    try:
        return list(_parsed(run.stdout))
    except (ValidationError, json.JSONDecodeError):
        return None


def _parsed(stdout: bytes) -> Iterator[_Hit]:
    for line in stdout.splitlines():
        if line.strip():
            yield _Hit.model_validate_json(line)


def _index(hit: _Hit) -> int:
    return int(PurePosixPath(hit.file).stem)


def _scan(file: FileToReview, hits: Sequence[_Hit]) -> FileScan:
    broken = file.analysis is not None and file.analysis.status is AnalysisStatus.SYNTAX_ERRORS
    gap = "it has syntax errors: rules may have missed something" if broken else None
    return FileScan(tuple(_match(file.path, hit) for hit in hits), gap)


def _match(path: str, hit: _Hit) -> Match:
    rule = Rule(id=hit.ruleId, message=hit.message, **hit.metadata.model_dump())
    return Match(rule, path, hit.range.start.line + 1, hit.range.end.line + 1)
