"""The symbols of one file: what is defined where, under which qualified name.

Names follow nesting: `Cart.total` is `total` inside `Cart`, whether by class body, Go receiver or Rust `impl`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tree_sitter import Node, QueryCursor

from schemas.documents.code_review import LineRange
from services.ast.parsing import Parsed

NAME_LENGTH = 300
TYPE_KINDS = frozenset({"class", "interface", "enum", "record", "trait", "impl", "struct", "annotation"})
CALLABLE_KINDS = frozenset({"function", "method", "constructor"})
_ANNOTATIONS = frozenset({"name", "receiver", "of"})


@dataclass(slots=True)
class Definition:
    """One symbol of one version of a file: `nodes` are what belongs to it, `inner` the symbols right inside it."""

    kind: str
    simple: str
    name_line: int
    nodes: list[Node]
    scope: str = ""
    name: str = ""
    parent: Definition | None = None
    inner: list[Definition] = field(default_factory=list)
    ordinal: int = 1

    @property
    def start(self) -> int:
        """First byte, decorators included."""
        return self.nodes[0].start_byte

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.nodes[-1].end_byte

    @property
    def lines(self) -> LineRange:
        """First and last line."""
        row, column = self.nodes[-1].end_point
        first = self.nodes[0].start_point.row + 1
        # A node that ends with its line break ends in column 0 of the next row.
        return LineRange(start=first, end=max(first, row if column == 0 else row + 1))

    @property
    def label(self) -> str:
        """The qualified name; the second symbol of the same name and kind is `name#2`, and so on in file order."""
        return self.name if self.ordinal == 1 else f"{self.name}#{self.ordinal}"


@dataclass(frozen=True, slots=True)
class _Prelude:
    """What may stand before a symbol: a decorator or the like, which belongs to it, or a comment, which does not."""

    node: Node
    belongs: bool


def definitions(parsed: Parsed) -> list[Definition]:
    """All symbols of a file in order, outer before inner."""
    found = _nested(parsed, sorted(_matches(parsed), key=_position))
    seen: Counter[tuple[str, str]] = Counter()
    for definition in found:
        seen[definition.name, definition.kind] += 1
        definition.ordinal = seen[definition.name, definition.kind]
    return found


def _matches(parsed: Parsed) -> Iterator[Definition | _Prelude]:
    taken: set[int] = set()
    matches = QueryCursor(parsed.grammar.symbols).matches(parsed.tree.root_node)
    for _, captures in sorted(matches, key=lambda match: match[0]):
        name = captures.get("name")
        if name is None:
            yield from (_Prelude(node, capture == "lead") for capture, nodes in captures.items() for node in nodes)
        elif name[0].id not in taken:
            taken.add(name[0].id)
            yield _definition(parsed, captures)


def _position(item: Definition | _Prelude) -> tuple[int, int]:
    node = item.nodes[0] if isinstance(item, Definition) else item.node
    return node.start_byte, -node.end_byte


def _definition(parsed: Parsed, captures: dict[str, list[Node]]) -> Definition:
    kind = next(capture for capture in captures if capture not in _ANNOTATIONS)
    name = captures["name"][0]
    simple = _plain(parsed.text(name)) or "(unnamed)"
    definition = Definition(kind, simple, name.start_point.row + 1, [captures[kind][0]])
    match captures:
        case {"receiver": [receiver]}:
            definition.scope = _type_name(parsed.text(receiver))
        case {"of": [trait]}:
            definition.scope = _type_name(parsed.text(name))
            definition.simple = f"{_type_name(parsed.text(trait))} for {definition.scope}"
        case _ if kind == "impl":
            definition.simple = definition.scope = _type_name(parsed.text(name))
        case _:
            pass
    return definition


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text[: 2 * NAME_LENGTH]).strip("\"'`")[:NAME_LENGTH]


def _type_name(text: str) -> str:
    """`*List[T]` -> `List`, `shop::Cart<T>` -> `Cart`, `&'a dyn Shape` -> `Shape`."""
    words = re.findall(r"\w+", re.split(r"[\[<]", re.sub(r"'\w+", "", text).strip("[*&( "))[0])
    return words[-1][:NAME_LENGTH] if words else _plain(text)


def _nested(parsed: Parsed, found: Iterable[Definition | _Prelude]) -> list[Definition]:
    placed: list[Definition] = []
    open_: list[Definition] = []
    leads: list[Node] = []
    read_to = 0
    for item in found:
        start = item.start if isinstance(item, Definition) else item.node.start_byte
        if leads and parsed.source[read_to:start].strip():
            leads = []
        if isinstance(item, _Prelude):
            leads += [item.node] if item.belongs else []
            read_to = item.node.end_byte
            continue
        while open_ and open_[-1].end <= start:
            open_.pop()
        item.nodes, leads = [*leads, *item.nodes], []
        _place(item, open_)
        placed.append(item)
    return placed


def _place(item: Definition, open_: list[Definition]) -> None:
    """Name `item` by what encloses it; symbols that share a node (`X, Y = 1, 2`) stand side by side."""
    if open_ and open_[-1].nodes[-1].id == item.nodes[-1].id:
        item.parent = open_[-1].parent
    else:
        item.parent = open_[-1] if open_ else None
        open_.append(item)
    if item.parent is not None:
        item.parent.inner.append(item)
        if item.kind == "function" and item.parent.kind in TYPE_KINDS:
            item.kind = "method"
    item.name = _qualified(item)
    if item.kind == "impl":
        item.scope = _joined(_outer_scope(item), item.scope)


def _qualified(item: Definition) -> str:
    own = _joined(item.scope, item.simple) if item.kind == "method" and item.parent is None else item.simple
    return _joined(_outer_scope(item), own)


def _outer_scope(item: Definition) -> str:
    if item.parent is None:
        return ""
    return item.parent.scope if item.parent.kind == "impl" else item.parent.name


def _joined(scope: str, name: str) -> str:
    joined = f"{scope}.{name}" if scope else name
    return joined if len(joined) <= NAME_LENGTH else "…" + joined[1 - NAME_LENGTH :]
