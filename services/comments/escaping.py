"""Text of strangers inside Markdown: it stays text, whatever it holds."""

from __future__ import annotations

import re
import unicodedata

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#!|~$])")
_LINK = re.compile(r"(?i)(www)(?=\.)|(https?|ftp|mailto|xmpp)(?=:)")
_BLOCK = re.compile(r"^(\d*)(?=[-+=.)])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HARMLESS = frozenset("\u200d")  # joins emoji
_WORD_JOINER = "\u2060"


def visible(text: str, keep: str = "") -> str:
    """`text` with every control and direction character, but those in `keep`, written as ⟨U+202E⟩."""
    return "".join(c if c in keep or not _hidden(c) else f"⟨U+{ord(c):04X}⟩" for c in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in _HARMLESS


def one_line(text: str) -> str:
    """`text` on one line: runs of white space are one blank, other control characters become visible."""
    return visible(" ".join(text.split()))


def plain(text: str) -> str:
    """`text` as inline Markdown that renders as itself: no markup, HTML, link, mention, formula or table cell."""
    escaped = _PUNCTUATION.sub(r"\\\1", one_line(text))
    escaped = _BLOCK.sub(r"\1\\", _LINK.sub(r"\g<0>\\", escaped))
    escaped = re.sub("[&<>]", lambda m: _ENTITIES[m[0]], escaped)
    return escaped.replace("@", f"@{_WORD_JOINER}")


def code(text: str, in_table: bool = False) -> str:
    """`text` as a code span; in a table cell a bar must be escaped even there."""
    body = one_line(text) or " "
    if in_table:
        # GFM 4.10: a cell ends at any bar that is not escaped, also inside a code span
        body = body.replace("|", "\\|")
    fence = "`" * (_longest_run(body) + 1)
    pad = " " if body.startswith(("`", " ")) or body.endswith(("`", " ")) else ""
    return f"{fence}{pad}{body}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """`text` as a fenced code block; the fence is longer than any run of backticks in it."""
    body = visible(text.replace("\r\n", "\n"), keep="\n\t")
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language if language.isascii() and language.isalnum() else ''}\n{body}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
