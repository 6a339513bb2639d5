"""Cyclomatic complexity of the functions of a file, measured by lizard and named as its symbols are."""

from __future__ import annotations

import contextlib
import io
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# `import lizard` would put the running script's folder on sys.path, so its parts are taken where they are defined.
from lizard_core.file_analyzer import (  # type: ignore[import-untyped]
    FileAnalyzer,
    condition_counter,
    line_counter,
    preprocessing,
    token_counter,
)

from kafka_saga import ChoreographyError
from schemas.documents.code_review import FunctionComplexity, LineRange
from services.ast.parsing import Deadline, Parsed
from services.ast.symbols import CALLABLE_KINDS, Definition

FILE_NAMES = {
    "python": "source.py", "javascript": "source.js", "typescript": "source.ts", "tsx": "source.tsx",
    "go": "source.go", "java": "Source.java", "rust": "source.rs",
}  # fmt: skip
MAX_CLIMB = 50
_BODILESS = frozenset(
    {"function_signature_item", "function_signature", "method_signature", "abstract_method_signature"}
)


class UnmeasurableError(ChoreographyError):
    """lizard cannot measure a file; the message says why."""


class ComplexityReader(Protocol):
    """What lizard gives its token processors."""

    def get_comment_from_token(self, token: str) -> str | None:
        """The comment a token is, if it is one."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One function of one version of a file."""

    complexity: int
    lines: LineRange


def measure(parsed: Parsed, symbols: Sequence[Definition], deadline: Deadline) -> dict[str, Measured]:
    """Complexity by qualified name; functions without a name are `outer.(anonymous)`, signatures are left out.

    Raises UnmeasurableError if lizard fails or is still busy at `deadline`.
    """
    names = _Names(symbols)
    measured = {}
    for function in _lizard(_without_signatures(parsed, symbols), parsed.grammar.key, deadline):
        lines = LineRange(start=function.start_line, end=max(function.start_line, function.end_line))
        measured[names.take(function.name, function.start_line)] = Measured(function.cyclomatic_complexity, lines)
    return measured


def _without_signatures(parsed: Parsed, symbols: Sequence[Definition]) -> str:
    """The text with signatures blanked out, because lizard takes the next function's body for theirs."""
    source = bytearray(parsed.source)
    for node in (symbol.nodes[-1] for symbol in symbols):
        if node.type in _BODILESS:
            span = slice(node.start_byte, node.end_byte)
            source[span] = re.sub(rb"[^\n]", b" ", source[span])
    return source.decode(errors="replace")


def compared(before: Mapping[str, Measured], after: Mapping[str, Measured]) -> list[FunctionComplexity]:
    """The functions of both versions side by side: those of `after` as lizard lists them, then the removed ones."""
    names = dict.fromkeys([*after, *before])
    return [_side_by_side(name, before.get(name), after.get(name)) for name in names]


def _side_by_side(name: str, before: Measured | None, after: Measured | None) -> FunctionComplexity:
    shown = after or before
    return FunctionComplexity(
        name=name,
        before=None if before is None else before.complexity,
        after=None if after is None else after.complexity,
        lines=None if shown is None else shown.lines,
    )


def total(measured: Mapping[str, Measured]) -> int:
    """The sum over all functions."""
    return sum(function.complexity for function in measured.values())


class _Function(Protocol):
    name: str
    start_line: int
    end_line: int
    cyclomatic_complexity: int


def _lizard(text: str, language: str, deadline: Deadline) -> list[_Function]:
    processors = (preprocessing, _drop_comments, line_counter, token_counter, condition_counter, _until(deadline))
    noise = io.StringIO()
    try:
        with contextlib.redirect_stderr(noise), contextlib.redirect_stdout(noise):
            found = FileAnalyzer(processors).analyze_source_code(FILE_NAMES[language], text)
    except UnmeasurableError:
        raise
    except Exception as error:
        raise UnmeasurableError(f"lizard failed with {type(error).__name__}") from error
    if "RecursionError" in noise.getvalue():
        raise UnmeasurableError("the code is nested too deep for lizard")
    return list(found.function_list)


def _drop_comments(tokens: Iterator[str], reader: ComplexityReader) -> Iterator[str]:
    # lizard's own obeys comments ("#lizard forgive", "GENERATED CODE"), with which a pull request could hide functions.
    for token in tokens:
        comment = reader.get_comment_from_token(token)
        if comment is None:
            yield token
        else:
            yield from "\n" * len(comment.splitlines()[1:])


def _until(deadline: Deadline) -> Callable[[Iterator[str], ComplexityReader], Iterator[str]]:
    def processor(tokens: Iterator[str], _reader: ComplexityReader) -> Iterator[str]:
        for token in tokens:
            if deadline.passed:
                raise UnmeasurableError("lizard took too long and was given up")
            yield token

    return processor


class _Names:
    """Finds the symbol lizard means by a bare name and a line; every name is given out once."""

    def __init__(self, symbols: Sequence[Definition]) -> None:
        self._callables = [symbol for symbol in symbols if symbol.kind in CALLABLE_KINDS]
        self._starts = [symbol.lines.start for symbol in self._callables]
        self._by_line: dict[tuple[str, int], list[Definition]] = defaultdict(list)
        for symbol in reversed(self._callables):
            for line in {symbol.name_line, symbol.lines.start, symbol.nodes[-1].start_point.row + 1}:
                self._by_line[_bare(symbol.simple), line].append(symbol)
        self._given: Counter[str] = Counter()

    def take(self, name: str, line: int) -> str:
        bare = _bare(name)
        while candidates := self._by_line.get((bare, line)):
            label = candidates.pop().label
            if label not in self._given:
                return self._give(label)
        outer = self._enclosing(line)
        return self._give(f"{outer.name}.{bare}" if outer else bare)

    def _enclosing(self, line: int) -> Definition | None:
        at = bisect_right(self._starts, line) - 1
        symbol = self._callables[at] if at >= 0 else None
        for _ in range(MAX_CLIMB):
            if symbol is None or symbol.lines.end >= line:
                return symbol
            symbol = symbol.parent
        return None

    def _give(self, label: str) -> str:
        self._given[label] += 1
        return label if self._given[label] == 1 else self._give(f"{label}#{self._given[label]}")


def _bare(name: str) -> str:
    last = re.split(r"::|[. ]", name)[-1] or name
    return "(anonymous)" if "anonymous" in last else last
