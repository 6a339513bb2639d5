"""What a run found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kafka_saga.local.pins import KAFKA_VERSION
from tests.bench.figures import Round, cpu_by_process, processor_us, ratios, summary

SYSTEMS = ("saga", "lean", "bare")
AIMS = {"lean_throughput": "at least 0.7", "p50": "at most 1.3", "bare_throughput": ""}
TRACKING_AIMS = {
    "events a second, in memory": "at least 20,000",
    "events a second, on Kafka": "at least 10,000",
    "bytes a waiting saga": "at most 2,048",
    "100,000 sagas taken over, s": "at most 10",
    "100,000 deadlines, last fired after the last was due, s": "at most 15",
    "100,000 deadlines, fired early": "0",
    "views: with 200,000 sagas, MB": "at most 1,000",
    "views: a filtered list of 200,000, p95, ms": "at most 300 (of 100,000)",
    **{
        f"100,000 sagas, {when}: {what}": aim
        for when in ("quiet", "under updates", "two workers, under updates")
        for what, aim in {
            "filtered lists, slowest, ms": "at most 300",
            "the page of the list, drawn first by a new browser, ms": "at most 1,000",
            "the page of the list, drawn, p50, ms": "at most 1,000",
            "an ended step on the open list, slowest, ms": "at most 1,000",
            "an ended step on the open saga's page, slowest, ms": "at most 1,000",
        }.items()
    },
}


@dataclass(frozen=True)
class Findings:
    """Everything that was measured; times by process in seconds, memory in MB, parts in microseconds an event."""

    rounds: Sequence[Round]
    parts_us: Mapping[str, float]
    memory_mb: Mapping[str, Mapping[str, float]]
    startup_s: Mapping[str, float]
    tracker: bool
    tracking: Mapping[str, float]

    def of(self, system: str) -> list[Round]:
        """The rounds of one system."""
        return [one for one in self.rounds if one.system == system]


def as_dict(found: Findings) -> dict[str, object]:
    """The content of build/bench.json."""
    return {
        **{name: summary(found.of(name)) for name in SYSTEMS},
        "ratio": ratios(found.rounds),
        "processor_us": {name: processor_us(found.of(name)) for name in SYSTEMS},
        "cpu_us_per_saga": cpu_by_process(found.rounds),
        "parts_us": found.parts_us,
        "memory_mb": found.memory_mb,
        "startup_s": found.startup_s,
        "tracking": found.tracking,
        "rounds": [one.as_dict() for one in found.rounds],
        "with_tracker": found.tracker,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "kafka": KAFKA_VERSION},
    }


def write(found: Findings, path: Path) -> None:
    """Write build/bench.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_dict(found), indent=2) + "\n", encoding="utf-8")


def show(found: Findings, console: Console) -> None:
    """Print the tables."""
    console.print(_systems(found), _ratios(found), _processes(found), _parts(found), _tracking(found))
    if not found.tracker:
        console.print("Measured without a tracker, in all three systems.", style="yellow")


def _systems(found: Findings) -> Table:
    table = _table("A saga of four steps, on one machine with its Kafka", "", *SYSTEMS)
    figures = {name: summary(found.of(name)) for name in SYSTEMS}
    table.add_row("sagas a second", *(f"{figures[name]['throughput']:,.0f}" for name in SYSTEMS))
    for percent in (50, 95, 99):
        row = (f"{figures[name][f'p{percent}_ms']:.1f}" for name in SYSTEMS)
        table.add_row(f"unloaded, p{percent}, ms", *row)
    processor = (f"{processor_us(found.of(name)):,.0f}" for name in SYSTEMS)
    table.add_row("processor of its processes, us a saga", *processor)
    return table


def _ratios(found: Findings) -> Table:
    table = _table("The framework against its references", "", "measured", "aim")
    for name, value in ratios(found.rounds).items():
        table.add_row(name, f"{value:.2f}", AIMS[name])
    return table


def _processes(found: Findings) -> Table:
    table = _table("Processes", "", "start, s", "memory idle, MB", "memory after, MB", "processor, us a saga")
    processor = cpu_by_process(found.rounds)
    for name, us in processor.items():
        sizes = (_figure(found.memory_mb[when].get(name), 0) for when in ("idle", "after"))
        table.add_row(name, _figure(found.startup_s.get(name), 2), *sizes, f"{us:.0f}")
    return table


def _parts(found: Findings) -> Table:
    table = _table("One event, by part", "", "us")
    for name, us in found.parts_us.items():
        table.add_row(name, f"{us:.1f}")
    return table


def _tracking(found: Findings) -> Table:
    table = _table("The tracker alone", "", "measured", "aim")
    for name, value in found.tracking.items():
        table.add_row(name, f"{value:,.6g}", TRACKING_AIMS.get(name, ""))
    return table


def _figure(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(first, title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table
