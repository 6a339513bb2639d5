"""The analysis of one changed file: what its two versions say, bounded in time and size."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from kafka_saga import Value
from schemas.documents.code_review import (
    ChangedFile,
    FileAnalysis,
    FunctionComplexity,
    Symbol,
    SymbolChange,
    SyntaxProblem,
)
from schemas.events.code_review import AnalysisStatus, ChangeKind, FileAnalysisSummary
from services.ast.changes import FileVersion, changed_symbols, touched_symbols
from services.ast.complexity import Measured, UnmeasurableError, compared, measure, total
from services.ast.languages import LANGUAGES, grammar, language_of
from services.ast.parsing import Deadline, UnparsableError, normalised, parse, syntax_problems
from services.ast.symbols import definitions


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may cost (seconds for parsing, and again for complexity) and how much of it is kept."""

    seconds: float = 10.0
    symbols: int = 200
    functions: int = 200
    problems: int = 50
    clock: Callable[[], float] = time.monotonic

    def deadline(self) -> Deadline:
        """`seconds` from now."""
        return Deadline(self.clock() + self.seconds, self.clock)


class FileVersions(Value):
    """One changed file with its content before and after (none: there is no such version)."""

    file: ChangedFile
    before: str | None
    after: str | None


class FileReport(Value):
    """One file's analysis, bounded, and its figures, which count what the bounds left out."""

    analysis: FileAnalysis
    summary: FileAnalysisSummary


def analyse_file(versions: FileVersions, limits: Limits) -> FileReport:
    """Compare two versions of a file. Whatever goes wrong is in the report; only a native crash is not survived."""
    file, before, after = versions.file, versions.before, versions.after
    reason = _not_analysable(file, before, after)
    if reason is not None:
        return without_analysis(file, *reason)
    try:
        return _analysed(file, _text(before), _text(after), limits)
    except UnparsableError as error:
        return without_analysis(file, AnalysisStatus.UNPARSABLE, str(error))
    except Exception as error:  # one file must not fail the review of the others
        return without_analysis(file, AnalysisStatus.UNPARSABLE, f"analysis failed with {type(error).__name__}")


def _text(content: str | None) -> str | None:
    return None if content is None else normalised(content)


def _not_analysable(file: ChangedFile, before: str | None, after: str | None) -> tuple[AnalysisStatus, str] | None:
    if file.skipped is not None:
        return AnalysisStatus.SKIPPED, file.skipped
    if file.language not in LANGUAGES:
        suffix = PurePosixPath(file.path).suffix
        return AnalysisStatus.UNSUPPORTED, f"no grammar for {suffix or 'files without a suffix'}"
    if before is None and after is None:
        return AnalysisStatus.SKIPPED, "its content is not known"
    return None


def without_analysis(file: ChangedFile, status: AnalysisStatus, reason: str) -> FileReport:
    """The report of a file nobody could look into, with the reason."""
    common = {"path": file.path, "status": status, "reason": reason, "language": file.language}
    return FileReport.model_validate({"analysis": common, "summary": common})


@dataclass(frozen=True, slots=True)
class _Side:
    """One version of the file and the symbols in it."""

    version: FileVersion

    @classmethod
    def read(cls, text: str | None, language: str, deadline: Deadline) -> _Side | None:
        if text is None:
            return None
        parsed = parse(text, grammar(language), deadline)
        return cls(FileVersion(parsed, definitions(parsed)))

    def measured(self, deadline: Deadline) -> dict[str, Measured]:
        return measure(self.version.parsed, self.version.definitions, deadline)


@dataclass(frozen=True, slots=True)
class _Complexity:
    """Functions side by side, and the totals of both versions; none where they could not be measured."""

    functions: list[FunctionComplexity] = field(default_factory=list)
    before: int | None = None
    after: int | None = None
    trouble: str | None = None


def _analysed(file: ChangedFile, before: str | None, after: str | None, limits: Limits) -> FileReport:
    deadline = limits.deadline()
    old = _Side.read(before, _language_before(file), deadline)
    new = _Side.read(after, file.language or "", deadline)
    symbols = _symbols(file, old, new)
    problems, errors = _problems(None if file.partial else new, limits.problems)
    complexity = _Complexity() if file.partial else _complexity(old, new, limits.deadline())
    broken_before = errors > 0 and _problems(old, 0)[1] > 0
    analysis = FileAnalysis(
        path=file.path,
        status=AnalysisStatus.SYNTAX_ERRORS if problems else AnalysisStatus.PARSED,
        reason=_joined(
            f"partial content: {file.partial}" if file.partial else None,
            "the version before has syntax errors too" if broken_before else None,
            _left_out(len(symbols), limits.symbols, "changed symbols"),
            _left_out(errors, limits.problems, "syntax errors"),
            _left_out(len(complexity.functions), limits.functions, "functions"),
            complexity.trouble,
        ),
        language=file.language,
        symbols=tuple(symbols[: limits.symbols]),
        complexity=_most_telling(complexity.functions, limits.functions),
        syntax_errors=tuple(problems),
    )
    return FileReport(analysis=analysis, summary=_summary(analysis, symbols, errors, complexity))


def _problems(side: _Side | None, limit: int) -> tuple[list[SyntaxProblem], int]:
    return ([], 0) if side is None else syntax_problems(side.version.parsed, limit)


def _language_before(file: ChangedFile) -> str:
    return language_of(file.old_path or file.path) or file.language or ""


def _symbols(file: ChangedFile, old: _Side | None, new: _Side | None) -> list[Symbol]:
    before_unknown = old is None and file.change is not ChangeKind.ADDED
    if new is not None and (file.partial or before_unknown):
        return touched_symbols(new.version, file.added)
    return changed_symbols(None if old is None else old.version, None if new is None else new.version)


def _complexity(old: _Side | None, new: _Side | None, deadline: Deadline) -> _Complexity:
    try:
        before = None if old is None else old.measured(deadline)
        after = None if new is None else new.measured(deadline)
    except UnmeasurableError as error:
        return _Complexity(trouble=f"no complexity: {error}")
    functions = compared(before or {}, after or {})
    return _Complexity(functions, None if before is None else total(before), None if after is None else total(after))


def _most_telling(functions: list[FunctionComplexity], limit: int) -> tuple[FunctionComplexity, ...]:
    """At most `limit` functions in their order; those whose complexity differs are kept first."""
    ranked = sorted(enumerate(functions), key=lambda item: (item[1].before == item[1].after, item[0]))
    return tuple(function for _, function in sorted(ranked[:limit], key=lambda item: item[0]))


def _left_out(found: int, limit: int, what: str) -> str | None:
    return f"{limit} of {found} {what} listed" if found > limit else None


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None


def _summary(
    analysis: FileAnalysis, symbols: list[Symbol], errors: int, complexity: _Complexity
) -> FileAnalysisSummary:
    changes = Counter(symbol.change for symbol in symbols)
    return FileAnalysisSummary(
        path=analysis.path,
        status=analysis.status,
        reason=analysis.reason,
        language=analysis.language,
        symbols_added=changes[SymbolChange.ADDED],
        symbols_changed=changes[SymbolChange.CHANGED],
        symbols_removed=changes[SymbolChange.REMOVED],
        syntax_errors=errors,
        complexity_before=complexity.before,
        complexity_after=complexity.after,
    )
