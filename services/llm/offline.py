"""The default reviewer: rules, no model and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from schemas.events.code_review import CoverageStatus, FileCoverage, Finding
from services.llm.analysis_rules import analysis_matches
from services.llm.matches import FileScan, findings_of
from services.llm.pattern_rules import GRAMMARS, AstGrep, grammar_of
from services.llm.python_rules import Ruff
from services.llm.reviewer import FileToReview, Opinion, ReviewRequest
from services.llm.text_rules import text_matches

PROSE = frozenset({".md", ".rst", ".txt", ".adoc"})
"""Suffixes of files that are text for people: the text rules are all there is to say about them."""


@dataclass(frozen=True, slots=True)
class OfflineRules:
    """ruff for Python, ast-grep for other languages, text and analysis rules for every file with text."""

    ruff: Ruff = field(default_factory=Ruff)
    ast_grep: AstGrep = field(default_factory=AstGrep)

    @property
    def name(self) -> str:
        """What the review is signed with."""
        return "offline-rules"

    async def review(self, request: ReviewRequest) -> Opinion:
        """Findings on added lines, and what was covered of each file that has text.

        Raises TerminalError if ruff or ast-grep is not installed, RetryableError if one takes too long.
        """
        files = [file for file in request.files if file.text is not None]
        scans = await self._scans(files)
        findings = [found for file in files for found in _findings(file, scans.get(file.path))]
        return Opinion(tuple(findings), tuple(_coverage(file, scans.get(file.path)) for file in files))

    async def _scans(self, files: Sequence[FileToReview]) -> dict[str, FileScan]:
        python = [file for file in files if file.changed.language == "python"]
        scans = _by_path(python, await self.ruff.scan(python))
        for grammar in GRAMMARS.values():
            own = [file for file in files if grammar_of(file) is grammar]
            scans |= _by_path(own, await self.ast_grep.scan(grammar, own))
        return scans


def _by_path(files: Sequence[FileToReview], scans: Sequence[FileScan]) -> dict[str, FileScan]:
    return {file.path: scan for file, scan in zip(files, scans, strict=True)}


def _findings(file: FileToReview, scan: FileScan | None) -> list[Finding]:
    # ruff tells syntax errors of Python itself, in better words than a tree does
    syntax = file.changed.language != "python"
    general = (*text_matches(file, parsed=scan is not None), *analysis_matches(file, syntax))
    return findings_of(file, (*(scan.matches if scan else ()), *general))


def _coverage(file: FileToReview, scan: FileScan | None) -> FileCoverage:
    gaps = [file.changed.partial, scan.gap if scan else _without_rules(file)]
    reason = "; ".join(gap for gap in gaps if gap)
    status = CoverageStatus.PARTIAL if reason else CoverageStatus.REVIEWED
    return FileCoverage(path=file.path, status=status, reason=reason or None)


def _without_rules(file: FileToReview) -> str | None:
    path = PurePosixPath(file.path)
    if path.suffix.lower() in PROSE:
        return None
    return f"no rules for {path.suffix or path.name}: only text rules"
