"""Rules for Python, by ruff: our selection of its rules, and what each family means for a review.

ruff runs isolated: no configuration of the repository, no cache, and no `# noqa`, so that the author of a change
cannot silence its review. It parses; it runs nothing of what it reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, TypeAdapter, ValidationError

from services.llm.analysis_rules import SYNTAX_ERROR
from services.llm.matches import FileScan, Match, Rule, failed_scans
from services.llm.reviewer import FileToReview
from services.llm.ruff_families import IGNORED, NEEDS_WHOLE_FILE, Family, family_of, selected
from services.llm.tools import engine_text, installed, private_folder, run_tool

PARSE_FAILURE = "invalid-syntax"
NEWEST_PYTHON = "py314"
TIMEOUT = 120.0


class _Place(BaseModel):
    row: int
    column: int


class _Fix(BaseModel):
    message: str | None = None


class _Diagnostic(BaseModel):
    code: str | None
    message: str
    filename: str
    location: _Place
    end_location: _Place
    fix: _Fix | None = None


_DIAGNOSTICS = TypeAdapter(list[_Diagnostic])


@dataclass(frozen=True, slots=True)
class Ruff:
    """ruff on a private copy of the files; `program` and `timeout` (seconds) are given in tests."""

    program: Path | None = None
    timeout: float = TIMEOUT

    async def scan(self, files: Sequence[FileToReview]) -> list[FileScan]:
        """One scan per file, in order. If ruff fails, each scan says so.

        Raises TerminalError if ruff is not installed, RetryableError if it takes too long.
        """
        if not files:
            return []
        program = self.program or installed("ruff", "ruff")
        copies = {_name(i, file): engine_text(file.text or "") for i, file in enumerate(files)}
        async with private_folder(copies) as folder:
            run = await run_tool((program, *arguments()), folder, self.timeout)
        try:
            found = _DIAGNOSTICS.validate_json(run.stdout)
        except ValidationError:
            return failed_scans("ruff", run.exit_code, run.stderr, len(files))
        by_file: defaultdict[int, list[_Diagnostic]] = defaultdict(list)
        for diagnostic in found:
            by_file[_index(diagnostic)].append(diagnostic)
        return [_scan(file, by_file[i]) for i, file in enumerate(files)]


def arguments() -> list[str]:
    """How ruff is called: isolated, everything in its folder, the selected rules, JSON."""
    fixed = ["check", "--isolated", "--no-cache", "--no-respect-gitignore", "--ignore-noqa", "--output-format=json"]
    fixed += ["--config=exclude=[]", f"--target-version={NEWEST_PYTHON}"]
    return [*fixed, f"--select={','.join(selected())}", f"--ignore={','.join(IGNORED)}", "."]


def _name(index: int, file: FileToReview) -> str:
    """Our own name, but for what ruff reads from it: whether this is a stub or a package's `__init__`."""
    path = PurePosixPath(file.path)
    stem = "__init__" if path.stem == "__init__" else "module"
    return f"{index}/{stem}{'.pyi' if path.suffix == '.pyi' else '.py'}"


def _index(diagnostic: _Diagnostic) -> int:
    return int(Path(diagnostic.filename).parent.name)


def _scan(file: FileToReview, diagnostics: Sequence[_Diagnostic]) -> FileScan:
    partial = file.changed.partial is not None
    unparsed = any(d.code in {None, PARSE_FAILURE} for d in diagnostics)
    matches = (_match(file.path, d) for d in diagnostics if not _reexported(file, d))
    gap = "it does not parse: only text rules" if unparsed else None
    return FileScan(tuple(m for m in matches if m is not None and not (partial and _needs_whole_file(m))), gap)


def _reexported(file: FileToReview, found: _Diagnostic) -> bool:
    # a package's `__init__` imports for others to use
    return found.code == "F401" and PurePosixPath(file.path).name == "__init__.py"


def _needs_whole_file(match: Match) -> bool:
    code = match.rule.id.rsplit("/", 1)[-1]
    return match.rule is SYNTAX_ERROR or code.startswith(NEEDS_WHOLE_FILE)


def _match(path: str, found: _Diagnostic) -> Match | None:
    start, end = found.location.row, found.end_location.row
    if end > start and found.end_location.column == 1:
        end -= 1
    if found.code in {None, PARSE_FAILURE}:
        return Match(SYNTAX_ERROR, path, start, start, f"This cannot be parsed: {found.message}")
    family = family_of(found.code or "")
    return Match(_rule(found, family), path, start, end) if family else None


def _rule(found: _Diagnostic, family: Family) -> Rule:
    return Rule(
        id=f"ruff/{found.code}",
        message=found.message,
        severity=family.severity,
        category=family.category,
        confidence=family.confidence,
        suggestion=found.fix.message if found.fix else None,
        secret=family.secret,
    )
