"""`python -m tests.bench.document`: the figures of build/bench.json into docs/performance.md, between its marks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.report import AIMS, SYSTEMS, TRACKING_AIMS
from tests.bench.systems import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: python -m tests.bench.document -->", "<!-- end of figures -->"


def figures(found: dict[str, Any]) -> str:  # JSON
    """The section of figures, as markdown."""
    machine = found["machine"]
    taken = (
        f"{len(found['rounds']) // len(SYSTEMS)} rounds, {machine['cores']} cores shared with other work, "
        f"Python {machine['python']}, Kafka {machine['kafka']}, "
        f"{'with' if found['with_tracker'] else 'without'} trackers.\n"
    )
    return "\n".join((taken, _systems(found), _ratios(found), _processes(found), _parts(found), _tracking(found)))


def updated(document: str, section: str) -> str:
    """The document with another section of figures. Raises ValueError if it has no marks."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


def _systems(found: dict[str, Any]) -> str:
    rows = [("sagas a second", *(f"{found[name]['throughput']:,.0f}" for name in SYSTEMS))]
    for p in (50, 95, 99):
        rows.append((f"one unloaded saga, p{p}, ms", *(f"{found[name][f'p{p}_ms']:.1f}" for name in SYSTEMS)))
    processor = (f"{found['processor_us'][name]:,.0f}" for name in SYSTEMS)
    rows.append(("processor of its five processes, µs a saga", *processor))
    return _table(("", "saga (framework)", "lean", "bare"), rows)


def _ratios(found: dict[str, Any]) -> str:
    rows = ((name, f"{value:.2f}", AIMS[name]) for name, value in found["ratio"].items())
    return _table(("ratio", "measured", "aim"), rows)


def _processes(found: dict[str, Any]) -> str:
    memory, startup = found["memory_mb"], found["startup_s"]
    rows = (
        (name, _cell(startup.get(name)), _cell(memory["idle"].get(name)), _cell(memory["after"].get(name)), f"{us:.0f}")
        for name, us in found["cpu_us_per_saga"].items()
    )
    return _table(("process", "start, s", "memory idle, MB", "memory after, MB", "processor, µs a saga"), rows)


def _parts(found: dict[str, Any]) -> str:
    return _table(("one event, by part", "µs"), ((name, f"{us:.1f}") for name, us in found["parts_us"].items()))


def _tracking(found: dict[str, Any]) -> str:
    rows = ((name, f"{value:,.6g}", TRACKING_AIMS.get(name, "")) for name, value in found["tracking"].items())
    return _table(("the tracker alone", "measured", "aim"), rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows)) + "\n"


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "bench.json"
    section = figures(json.loads(source.read_text(encoding="utf-8")))
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8"), section), encoding="utf-8")
