"""The list of rules as Markdown tables; `python -m tests.unit.services.llm.rule_table` puts it into docs/reviews.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from services.llm import analysis_rules, text_rules
from services.llm.matches import Rule
from services.llm.pattern_rules import GRAMMARS, rule_text
from services.llm.ruff_families import FAMILIES, IGNORED

GUIDE = Path(__file__).parents[4] / "docs" / "reviews.md"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def tables() -> str:
    """All rules, by where they come from."""
    general = "\n\n".join(
        ["#### Any text", _table(text_rules.ALL_RULES), "#### Parsing", _table(analysis_rules.ALL_RULES)]
    )
    languages = "\n\n".join(_of_language(name) for name in ("javascript", "typescript", "go", "java", "rust"))
    return f"{general}\n\n{languages}\n\n{_ruff()}"


def _of_language(language: str) -> str:
    documents = yaml.safe_load_all(rule_text(GRAMMARS[language]))
    own = [d for d in documents if d["id"].startswith(f"{language}/")]
    rules = (Rule(id=d["id"], message=d["message"], **d["metadata"]) for d in own)
    return f"#### {language}\n\n{_table(sorted(rules, key=lambda rule: rule.id))}"


def _table(rules: Iterable[Rule]) -> str:
    rows = (f"| `{r.id}` | {r.severity.value} | {r.category} | {r.message} |" for r in rules)
    return "\n".join(["| Rule | Severity | Category | Says |", "| --- | --- | --- | --- |", *rows])


def _ruff() -> str:
    rows = (f"| `ruff/{f.prefix}*` | {f.severity.value} | {f.category} | {f.about} |" for f in FAMILIES)
    table = "\n".join(["| Codes | Severity | Category | About |", "| --- | --- | --- | --- |", *rows])
    left_out = ", ".join(f"`{code}`" for code in IGNORED)
    return f"#### python\n\nThe longest prefix counts. Left out as more noise than use: {left_out}.\n\n{table}"


def listed(guide: str) -> str:
    """The list that `guide` holds."""
    return guide.split(BEGIN)[1].split(END, maxsplit=1)[0].strip()


if __name__ == "__main__":
    text = GUIDE.read_text(encoding="utf-8")
    GUIDE.write_text(
        text.replace(listed(text), tables()) if listed(text) else text.replace(BEGIN, f"{BEGIN}\n\n{tables()}\n")
    )
