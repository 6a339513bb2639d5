"""`python -m tests.simulation.tables`: the tables of docs/simulation.md, from what the tests know."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from tests.simulation.findings import FINDINGS
from tests.simulation.planted import MISTAKES
from tests.simulation.planted.caught import CAUGHT


def mistakes_table() -> Iterator[str]:
    """The planted mistakes, with the complaint and the seed that catch each."""
    yield "| planted mistake | what goes wrong | caught by the complaint | at seed |"
    yield "|---|---|---|---:|"
    for name, mistake in MISTAKES.items():
        said = " ".join((inspect.getdoc(mistake) or "").split())
        yield f"| {name.replace('_', ' ')} | {said} | `{CAUGHT[name].rule}` | {CAUGHT[name].seed} |"


def findings_table() -> Iterator[str]:
    """The findings on the code as it is, with a seed that shows each."""
    yield "| finding | what happens today | seed |"
    yield "|---|---|---:|"
    for name, finding in FINDINGS.items():
        yield f"| {name.replace('_', ' ')} | {finding.sentence} | {finding.seed} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join((*mistakes_table(), "", *findings_table(), "")))
