"""Which symbols were added, changed or removed between two versions of a file.

A symbol has changed when its own part has: what belongs to it but to no symbol inside it. So a changed method is
reported as that method, and its class only if the class itself (bases, fields, decorators) changed too. Compared is
the syntax tree without positions, white space and comments: moving, re-wrapping or commenting code changes nothing,
moving a statement in or out of a block does. Python docstrings are code.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence

from tree_sitter import Node

from schemas.documents.code_review import LineRange, Symbol, SymbolChange
from services.ast.parsing import Parsed
from services.ast.symbols import Definition

Shape = list[tuple[int, str, str]]

# Inside literals white space is content, and some grammars leave parts of it out of the tree.
_OPAQUE = frozenset(
    {
        "string", "template_string", "regex", "interpreted_string_literal", "raw_string_literal", "rune_literal",
        "string_literal", "character_literal", "char_literal",
    }
)  # fmt: skip
# What only wraps a symbol inside does not make its surroundings change, nor does the separator behind it.
_TRANSPARENT = frozenset(
    {"decorated_definition", "export_statement", "ambient_declaration", "lexical_declaration", "variable_declaration"}
)
_SEPARATORS = frozenset({",", ";"})
_REFLOWED = frozenset({"ERROR", "jsx_text"})


class FileVersion:
    """The symbols of one version of a file, ready to be compared."""

    def __init__(self, parsed: Parsed, definitions: Sequence[Definition]) -> None:
        self.parsed = parsed
        self.definitions = definitions
        self._heads = {node.id for definition in definitions for node in definition.nodes}

    def own_text(self, definition: Definition) -> bytes:
        """The bytes of a symbol without those of the symbols inside it."""
        pieces, at = [], definition.start
        for inner in definition.inner:
            pieces.append(self.parsed.source[at : max(at, inner.start)])
            at = max(at, inner.end)
        return b"\0".join([*pieces, self.parsed.source[at : definition.end]])

    def shape(self, definition: Definition) -> Shape:
        """The own part of a symbol as a list that is equal for equal code: depth, node type, text of leaves."""
        own = {node.id for node in definition.nodes}
        return [row for node in definition.nodes for row in self._shape_of(node, own)]

    def _shape_of(self, root: Node, own: set[int]) -> Iterator[tuple[int, str, str]]:
        separator_follows = False
        for depth, node, stay_out in _walk(root):
            if node.id in self._heads and node.id not in own:
                stay_out()
                separator_follows = True
            elif separator_follows and node.type in _SEPARATORS:
                separator_follows = False
            elif node.is_extra and not node.is_error:
                stay_out()
            else:
                separator_follows = False
                text = self._leaf_text(node)
                if text is not None:
                    stay_out()
                if node.type not in _TRANSPARENT:
                    yield depth, node.type, text or ""

    def _leaf_text(self, node: Node) -> str | None:
        if node.type in _REFLOWED:
            return " ".join(self.parsed.text(node).split())
        if node.type in _OPAQUE or node.child_count == 0:
            return self.parsed.text(node)
        return None


def _walk(root: Node) -> Iterator[tuple[int, Node, Callable[[], None]]]:
    """Depth and node in order, without recursion; calling the third keeps the walk out of the node's children."""
    cursor, depth, kept_out = root.walk(), 0, False

    def stay_out() -> None:
        nonlocal kept_out
        kept_out = True

    while cursor.node is not None:
        kept_out = False
        yield depth, cursor.node, stay_out
        if not kept_out and cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if depth == 0:
                return
            cursor.goto_parent()
            depth -= 1


def changed_symbols(before: FileVersion | None, after: FileVersion | None) -> list[Symbol]:
    """Every symbol that differs, in the order of lines; a file that is not there has no symbols."""
    groups: dict[tuple[str, str], tuple[list[Definition], list[Definition]]] = defaultdict(lambda: ([], []))
    for side, version in enumerate((before, after)):
        for definition in version.definitions if version else ():
            groups[definition.name, definition.kind][side].append(definition)
    symbols = [symbol for old, new in groups.values() for symbol in _differences(before, old, after, new)]
    return sorted(symbols, key=lambda symbol: (symbol.lines.start, symbol.lines.end, symbol.name, symbol.change))


def touched_symbols(after: FileVersion, added: Sequence[LineRange]) -> list[Symbol]:
    """The symbols that added lines touch, where nothing is known of the version before."""
    lines = {line for span in added for line in range(span.start, span.end + 1)}
    return [_symbol(d, change) for d in after.definitions if (change := _touched(d, lines)) is not None]


def _touched(definition: Definition, added: set[int]) -> SymbolChange | None:
    span = range(definition.lines.start, definition.lines.end + 1)
    if all(line in added for line in span):
        return SymbolChange.ADDED
    inner = {line for d in definition.inner for line in range(d.lines.start, d.lines.end + 1)}
    return SymbolChange.CHANGED if any(line in added and line not in inner for line in span) else None


def _differences(
    before: FileVersion | None, old: list[Definition], after: FileVersion | None, new: list[Definition]
) -> Iterator[Symbol]:
    """Symbols of one name and kind: the same ones are paired first, the others in file order."""
    if before is not None and after is not None:
        old, new = _unlike(before, old, after, new)
        for was, now in zip(old, new, strict=False):
            if before.shape(was) != after.shape(now):
                yield _symbol(now, SymbolChange.CHANGED)
    both = min(len(old), len(new))
    yield from (_symbol(definition, SymbolChange.REMOVED) for definition in old[both:])
    yield from (_symbol(definition, SymbolChange.ADDED) for definition in new[both:])


def _unlike(
    before: FileVersion, old: list[Definition], after: FileVersion, new: list[Definition]
) -> tuple[list[Definition], list[Definition]]:
    same: dict[bytes, deque[Definition]] = defaultdict(deque)
    for definition in old:
        same[before.own_text(definition)].append(definition)
    rest = []
    for definition in new:
        if twins := same.get(after.own_text(definition)):
            twins.popleft()
        else:
            rest.append(definition)
    left = sorted((d for twins in same.values() for d in twins), key=lambda d: d.start)
    return left, rest


def _symbol(definition: Definition, change: SymbolChange) -> Symbol:
    return Symbol(name=definition.label, kind=definition.kind, change=change, lines=definition.lines)
