"""docs/reviews.md lists the rules that there are."""

from __future__ import annotations

from tests.unit.services.llm.rule_table import GUIDE, listed, tables


def test_the_guide_lists_the_rules_that_there_are() -> None:
    message = "run `python -m tests.unit.services.llm.rule_table`"
    assert listed(GUIDE.read_text(encoding="utf-8")) == tables(), message
