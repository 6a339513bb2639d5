"""Rules on what parsing has shown: functions that got too complex or too long, and syntax errors."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.documents.code_review import FileAnalysis, FunctionComplexity
from schemas.events.code_review import Severity
from services.llm.matches import Match, Rule
from services.llm.reviewer import FileToReview

MAX_COMPLEXITY = 15
MAX_FUNCTION_LINES = 100

COMPLEX_FUNCTION = Rule(
    id="analysis/complex-function",
    message="This function has become hard to follow.",
    severity=Severity.MEDIUM,
    category="maintainability",
    confidence=0.8,
    suggestion="Give its parts names of their own.",
)
LONG_FUNCTION = Rule(
    id="analysis/long-function",
    message="This function is very long.",
    severity=Severity.LOW,
    category="maintainability",
    confidence=0.7,
    suggestion="Give its parts names of their own.",
)
SYNTAX_ERROR = Rule(
    id="analysis/syntax-error",
    message="This cannot be parsed.",
    severity=Severity.HIGH,
    category="syntax",
    confidence=0.9,
)
ALL_RULES = (COMPLEX_FUNCTION, LONG_FUNCTION, SYNTAX_ERROR)


def analysis_matches(file: FileToReview, syntax: bool) -> Iterator[Match]:
    """Where the analysis of `file` gives cause; `syntax` says whether its syntax errors are to be told.

    Of a file that is known in part only (an inline diff) nothing is told: its functions are not whole.
    """
    analysis = file.analysis
    if analysis is None or file.changed.partial is not None:
        return
    for function in analysis.complexity:
        yield from _function_matches(file, function)
    if syntax:
        yield from _syntax_matches(file.path, analysis)


def _function_matches(file: FileToReview, function: FunctionComplexity) -> Iterator[Match]:
    if function.lines is None or function.after is None:
        return
    start, end = function.lines.start, function.lines.end
    before = function.before or 0
    if function.after > MAX_COMPLEXITY and function.after > before:
        grown = f"grew from {before} to {function.after}" if before else f"is {function.after}"
        message = f"The cyclomatic complexity of {function.name} {grown}; above {MAX_COMPLEXITY} it is hard to test."
        yield Match(COMPLEX_FUNCTION, file.path, start, end, message)
    length = end - start + 1
    fresh = sum(1 for line in range(start, end + 1) if line in file.added)
    if length > MAX_FUNCTION_LINES and 2 * fresh > length:
        message = f"{function.name} is {length} lines long, most of them new; a reader holds {MAX_FUNCTION_LINES}."
        yield Match(LONG_FUNCTION, file.path, start, end, message)


def _syntax_matches(path: str, analysis: FileAnalysis) -> Iterator[Match]:
    for problem in analysis.syntax_errors:
        yield Match(SYNTAX_ERROR, path, problem.line, problem.line, f"This cannot be parsed: {problem.message}")
