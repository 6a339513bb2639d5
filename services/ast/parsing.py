"""Text to syntax tree within a time bound, and where its syntax errors are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from tree_sitter import Node, Parser, QueryCursor, Tree

from kafka_saga import ChoreographyError
from schemas.documents.code_review import SyntaxProblem
from services.ast.languages import Grammar

CHUNK = 64 * 1024
EXCERPT = 40


class UnparsableError(ChoreographyError):
    """One file cannot be parsed; the message is the reason its report gives."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of `clock` (seconds) after which work on a file is given up."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @property
    def passed(self) -> bool:
        """Whether there is no time left."""
        return self.clock() >= self.at


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree and the bytes it was made from; byte offsets of nodes are offsets into `source`."""

    grammar: Grammar
    source: bytes
    tree: Tree

    def text(self, node: Node) -> str:
        """The source text of `node`."""
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")


def normalised(text: str) -> str:
    """`text` without byte order mark and with LF line ends, so that neither counts as content or as a column."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def parse(text: str, grammar: Grammar, deadline: Deadline) -> Parsed:
    """Parse normalised text; raises UnparsableError if it takes longer than until `deadline`."""
    source = text.encode(errors="replace")
    try:
        tree = Parser(grammar.language).parse(
            lambda offset, _: source[offset : offset + CHUNK],
            progress_callback=lambda _offset, _error: deadline.passed,
        )
    except ValueError as error:
        reason = "parsing took too long and was given up" if deadline.passed else f"the parser gave up: {error}"
        raise UnparsableError(reason) from error
    return Parsed(grammar, source, tree)


def syntax_problems(parsed: Parsed, limit: int) -> tuple[list[SyntaxProblem], int]:
    """The first `limit` places the parser could not read, and how many there are.

    Of nested ones only the innermost are given, which are the causes.
    """
    nodes = list(_innermost(_error_nodes(parsed)))
    return [_problem(parsed, node) for node in nodes[:limit]], len(nodes)


def _problem(parsed: Parsed, node: Node) -> SyntaxProblem:
    line, column = position(parsed, node)
    return SyntaxProblem(line=line, column=column, message=_message(parsed, node))


def position(parsed: Parsed, node: Node) -> tuple[int, int]:
    """Line and column of a node's start, both from 1, the column in characters."""
    row, width = node.start_point
    before = parsed.source[node.start_byte - width : node.start_byte]
    return row + 1, len(before.decode(errors="replace")) + 1


def _error_nodes(parsed: Parsed) -> list[Node]:
    root = parsed.tree.root_node
    if not root.has_error:
        return []
    found = QueryCursor(parsed.grammar.errors).captures(root).get("problem", [])
    return sorted(filter(_is_problem, found), key=lambda node: (node.start_byte, -node.end_byte))


def _is_problem(node: Node) -> bool:
    # A missing `..._token1` is the grammar's own line end, which valid Go may leave out.
    return node.is_error or not node.type.endswith("_token1")


def _innermost(nodes: list[Node]) -> Iterator[Node]:
    for node, following in zip_longest(nodes, nodes[1:]):
        if following is None or following.end_byte > node.end_byte or following.start_byte >= node.end_byte:
            yield node


def _message(parsed: Parsed, node: Node) -> str:
    if node.is_missing:
        return f"missing {node.type.replace('_', ' ')}" if node.is_named else f"missing `{node.type}`"
    lines = parsed.text(node).strip().splitlines()
    if not lines:
        return "unexpected end of the file" if node.end_byte >= len(parsed.source) else "unexpected blank"
    first = lines[0].strip()
    excerpt = first if len(first) <= EXCERPT else first[:EXCERPT] + "…"
    upto = f", not understood up to line {node.end_point.row + 1}" if len(lines) > 1 else ""
    return f"unexpected `{excerpt}`{upto}"
