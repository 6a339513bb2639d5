"""Raw bytes on the terminal: as a hex dump, or as text where they are text."""

from __future__ import annotations

from rich.text import Text

from kafka_saga.cli.output import safe
from kafka_saga.inspection.log.decoding import as_text

MAX_BYTES = 512
"""How much of a value is shown; `--json` gives all of it."""

_ROW = 16


def preview(value: bytes | None) -> Text:
    """The beginning of a value: text if it is text, else a hex dump."""
    if not value:
        return Text("(no value)" if value is None else "(empty)", "dim")
    shown = value[:MAX_BYTES]
    text = as_text(shown) if len(value) == len(shown) else as_text(_whole_characters(shown))
    body = hex_dump(shown) if text is None else Text("\n").join(safe(line) for line in text.splitlines())
    if len(value) > len(shown):
        body.append(f"\n... {len(value) - len(shown):,} more bytes", "dim")
    return body


def _whole_characters(value: bytes) -> bytes:
    """Without the beginning of a UTF-8 character that was cut off at the end (4 bytes at most)."""
    cut = next((n for n in range(1, 4) if value[-n] >= 0xC0), 0)
    return value[:-cut] if cut else value


def hex_dump(value: bytes) -> Text:
    """Sixteen bytes a line: offset, hex, and what is printable ASCII."""
    rows = [_row(value, start) for start in range(0, len(value), _ROW)]
    return Text("\n").join(rows)


def _row(value: bytes, start: int) -> Text:
    chunk = value[start : start + _ROW]
    digits = chunk[:8].hex(" ") + "  " + chunk[8:].hex(" ")
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
    return Text.assemble((f"{start:08x}  ", "dim"), f"{digits:<49} ", (letters, "cyan"))
