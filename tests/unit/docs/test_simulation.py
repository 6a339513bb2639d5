"""The tables of docs/simulation.md say what the tests know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.simulation.tables import findings_table, mistakes_table

PAGE = Path(__file__).parents[3] / "docs" / "simulation.md"


@pytest.mark.parametrize(("name", "table"), [("mistakes", mistakes_table()), ("findings", findings_table())])
def test_the_page_lists_what_is_planted_and_what_was_found(name: str, table: Iterable[str]) -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    written, _, _ = rest.partition(f"<!-- /{name} -->")
    assert written.splitlines() == list(table), "`python -m tests.simulation.tables` prints the tables anew"
