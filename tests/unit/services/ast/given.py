"""What the tests of the ast service start from."""

from __future__ import annotations

from schemas.documents.code_review import ChangedFile
from schemas.events.code_review import ChangeKind
from services.ast.files import FileReport, FileVersions, Limits, analyse_file
from services.ast.languages import language_of

PATHS = {
    "python": "a.py",
    "javascript": "a.js",
    "typescript": "a.ts",
    "tsx": "a.tsx",
    "go": "a.go",
    "java": "A.java",
    "rust": "a.rs",
}


def versions(path: str, before: str | None, after: str | None, **changed: object) -> FileVersions:
    change = ChangeKind.ADDED if before is None else ChangeKind.DELETED if after is None else ChangeKind.MODIFIED
    fields: dict[str, object] = {"path": path, "change": change, "language": language_of(path)}
    return FileVersions(file=ChangedFile.model_validate(fields | changed), before=before, after=after)


def analysed(
    path: str, before: str | None, after: str | None, limits: Limits | None = None, **changed: object
) -> FileReport:
    return analyse_file(versions(path, before, after, **changed), limits or Limits())


def symbols(report: FileReport) -> list[str]:
    """`changed method Cart.total 3-4`, one a symbol."""
    return [f"{s.change} {s.kind} {s.name} {s.lines.start}-{s.lines.end}" for s in report.analysis.symbols]


def complexity(report: FileReport) -> dict[str, tuple[int | None, int | None]]:
    return {function.name: (function.before, function.after) for function in report.analysis.complexity}


def errors(report: FileReport) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.message) for problem in report.analysis.syntax_errors]
